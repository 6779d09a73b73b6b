/** What the families of networks share that fit images of many sizes. */

import { sigmoid, tanh } from '../layers/index.js';
import { type LayerMaker, NetworkError, type NetworkOptions } from '../network.js';

const [SMALLEST, LARGEST] = [16, 256];

/** The sides of the families, in pixels: 4, 5, 6 or 7 times a power of two, from 16 to 256, in order. */
export const SIDES: readonly number[] = [4, 5, 6, 7]
  .flatMap((base) => Array.from({ length: 7 }, (_, halvings) => base * 2 ** halvings))
  .filter((side) => side >= SMALLEST && side <= LARGEST)
  .sort((a, b) => a - b);

/** The nearest sides of each kind, as text: `28 or 32`, or `256` above the largest. */
const nearest = (side: number): string => {
  const [below, above] = [SIDES.findLast((s) => s < side), SIDES.find((s) => s > side)];
  return [below, above].filter((s) => s !== undefined).join(' or ');
};

/** What a family of networks makes of the size of the images. */
export interface Square {
  /** The side of the smallest map, 4 to 7. */
  readonly base: number;
  /** How often the side is halved down to that. */
  readonly halvings: number;
  readonly channels: number;
}

/**
 * Takes the size of square images apart.
 * @throws NetworkError if they are not square, or their side is none of those that halve down to 4 to 7
 */
export function square({ image }: NetworkOptions): Square {
  const { height, width, channels } = image ?? { height: 28, width: 28, channels: 1 };
  const rule = `images are square here, of sides that are 4, 5, 6 or 7 times a power of two, from ${SMALLEST} to ${LARGEST}`;
  if (!SIDES.includes(height)) throw new NetworkError('height', `${nearest(height)} (${rule})`);
  if (width !== height) throw new NetworkError('width', `${height}, as the height is (${rule})`);
  const halvings = Math.floor(Math.log2(height / 4));
  return { base: height / 2 ** halvings, halvings, channels };
}

/** The channels of the maps of each size, from the largest on: doubled up to eight times. */
export const channelsOf = (largest: number, levels: number): number[] =>
  Array.from({ length: levels }, (_, level) => largest * 2 ** Math.min(level, 3));

/** What brings a generator's values into the range of the pixels. */
export const intoRange = ({ range: [low] = [0, 1] }: NetworkOptions): LayerMaker =>
  low < 0 ? tanh() : sigmoid();

/** @throws NetworkError if an option is set that the network has no use for */
export function refuse(options: NetworkOptions, ...names: ('batchNorm' | 'spectralNorm')[]): void {
  for (const name of names) {
    if (options[name]) throw new NetworkError(name, 'false: these networks have no normalisation');
  }
}
