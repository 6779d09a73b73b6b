/** The length of a training. */

/** The number of steps: as the recipe gives it, or computed from its epochs. */
export const stepsFor = (
  { steps, epochs }: { readonly steps?: number | undefined; readonly epochs?: number | undefined },
  stepsPerEpoch: number,
): number => steps ?? (epochs ?? 0) * stepsPerEpoch;
