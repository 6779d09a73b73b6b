import type { ScoreMap } from './detection/scores.js';

/** RGB, from the lowest to the highest score: dark violet, blue, green, yellow. */
export const HEAT_COLORS = [
  [48, 18, 82],
  [42, 84, 160],
  [30, 152, 138],
  [122, 201, 82],
  [250, 230, 50],
] as const;

/**
 * A score map as a picture of `width` × `height` pixels: [height, width, 4], RGBA from 0 to 255. The
 * colour of a pixel shows the score there, interpolated between the centres of the windows around
 * it. Colours go from dark violet for the map's lowest score to yellow for its highest.
 *
 * @param map its `stride` and `first` are in pixels of the picture that is made
 */
export function heatMap(map: ScoreMap, width: number, height: number): Uint8ClampedArray {
  const { values, rows, columns, first, stride } = map;
  const [low, high] = extent(values);
  const rgba = new Uint8ClampedArray(width * height * 4);
  const along = (size: number, start: number, length: number, places: number) =>
    Array.from({ length: size }, (_, p) => {
      const at = (p + 0.5 - start - length / 2) / stride;
      const inside = Math.min(places - 1, Math.max(0, at));
      const before = Math.min(Math.max(0, places - 2), Math.floor(inside));
      return [before, Math.min(places - 1, before + 1), inside - before] as const;
    });
  const across = along(width, first.x, first.width, columns);
  const down = along(height, first.y, first.height, rows);
  let at = 0;
  for (const [top, bottom, v] of down) {
    for (const [left, right, u] of across) {
      const value = (row: number, column: number) => values[row * columns + column] as number;
      const upper = (1 - u) * value(top, left) + u * value(top, right);
      const lower = (1 - u) * value(bottom, left) + u * value(bottom, right);
      const score = (1 - v) * upper + v * lower;
      const place = high > low ? ((score - low) / (high - low)) * (HEAT_COLORS.length - 1) : 0;
      const index = Math.min(HEAT_COLORS.length - 2, Math.floor(place));
      const [from, to] = [HEAT_COLORS[index], HEAT_COLORS[index + 1]] as [
        readonly number[],
        readonly number[],
      ];
      for (let c = 0; c < 3; c++) {
        rgba[at++] =
          (from[c] as number) + (place - index) * ((to[c] as number) - (from[c] as number));
      }
      rgba[at++] = 255;
    }
  }
  return rgba;
}

/** The lowest and the highest of these scores; Infinity and -Infinity if there are none. */
export function extent(values: Float32Array): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** A score as the probability of "real", in [0, 1]; undefined for critics and energies. */
export const probability = (meaning: ScoreMap['meaning'], score: number): number | undefined =>
  meaning === 'logit' ? 1 / (1 + Math.exp(-score)) : meaning === 'probability' ? score : undefined;
