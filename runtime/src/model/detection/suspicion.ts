/** How suspicious each pixel of a picture is, by all fragments that hold it. */

import { suspicionOf } from './p-values.js';
import type { ScoreMap } from './scores.js';

/**
 * How much more the suspicious ones among the fragments count: 0 would be their mean, infinity the worst
 * alone. docs/results/detectors.md has the areas under the curve by which it was chosen.
 */
const SHARPNESS = 2;

/** The least that a float32 can be: a suspicion some 40 below the map's highest is as good as none. */
const FLOOR = 1e-38;

/**
 * The suspicion of each pixel, [height, width]: log(mean(exp(k · s))) / k over the suspicions s of all
 * fragments, of all scales, whose internal part holds it, with k = 2. Pixels that no fragment holds, at a
 * stride above the internal part's side, have the lowest suspicion of the map.
 */
export function suspicionMap(
  map: ScoreMap,
  { width, height }: { width: number; height: number },
): Float32Array {
  const maps = [map, ...(map.coarser ?? [])];
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { values, meaning } of maps) {
    for (const score of values) {
      const suspicion = suspicionOf(meaning, score);
      lowest = Math.min(lowest, suspicion);
      highest = Math.max(highest, suspicion);
    }
  }
  const scales = maps.map(({ values, rows, columns, stride, first, meaning }) => {
    const powers = values.map((score) =>
      Math.exp(SHARPNESS * (suspicionOf(meaning, score) - highest)),
    );
    const internal = first.width + 2 * first.x; // the frame lies outside of the picture
    const across = reachOf(width, columns, stride, internal);
    const down = reachOf(height, rows, stride, internal);
    return { powers, columns, across, down, sums: new Float64Array(columns) };
  });
  const out = new Float32Array(width * height);
  // Where a stride is above 1, neighbours are held by the same fragments.
  const alike = (side: 'across' | 'down', at: number): boolean =>
    at > 0 &&
    scales.every(({ [side]: { from, to } }) => from[at] === from[at - 1] && to[at] === to[at - 1]);
  const repeated = Uint8Array.from({ length: width }, (_, x) => Number(alike('across', x)));
  for (let y = 0; y < height; y++) {
    if (alike('down', y)) {
      out.copyWithin(y * width, (y - 1) * width, y * width);
      continue;
    }
    for (const { powers, columns, down, sums } of scales) {
      sums.fill(0);
      for (let row = down.from[y] as number; row < (down.to[y] as number); row++) {
        for (let k = 0; k < columns; k++) {
          sums[k] = (sums[k] as number) + (powers[row * columns + k] as number);
        }
      }
    }
    for (let x = 0; x < width; x++) {
      if (repeated[x]) {
        out[y * width + x] = out[y * width + x - 1] as number;
        continue;
      }
      let [sum, count] = [0, 0];
      for (const { across, down, sums } of scales) {
        const [left, right] = [across.from[x] as number, across.to[x] as number];
        count += ((down.to[y] as number) - (down.from[y] as number)) * (right - left);
        for (let k = left; k < right; k++) sum += sums[k] as number;
      }
      const soft = highest + Math.log(Math.max(FLOOR, sum / count)) / SHARPNESS;
      out[y * width + x] = count > 0 ? soft : lowest;
    }
  }
  return out;
}

/** For each pixel of a side, the fragments that hold it: from the first up to the last, exclusive. */
function reachOf(length: number, places: number, stride: number, internal: number) {
  const [from, to] = [new Int32Array(length), new Int32Array(length)];
  for (let p = 0; p < length; p++) {
    to[p] = Math.min(places, Math.floor(p / stride) + 1);
    from[p] = Math.min(to[p] as number, Math.max(0, Math.ceil((p - internal + 1) / stride)));
  }
  return { from, to };
}
