/** Where a model runs; of `wasm`, which few ask for and which is slower, also why. */
export const placeOf = ({ device, reason }: { device: string; reason: string }): string =>
  device === 'wasm' ? `wasm (${reason})` : device;
