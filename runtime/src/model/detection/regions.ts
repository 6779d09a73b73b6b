/** Connected regions of a mask. Pixels that touch at a side or a corner belong together. */

/** The number of each pixel's region, from 1; 0 outside of all. Regions are numbered as rows are read. */
export interface Regions {
  readonly labels: Int32Array;
  readonly count: number;
}

/** @param mask [height, width]; a pixel belongs to a region if its value is not 0 */
export function regionsOf(mask: ArrayLike<number>, width: number): Regions {
  const labels = new Int32Array(mask.length);
  const height = mask.length / width;
  let count = 0;
  const open: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || labels[start]) continue;
    labels[start] = ++count;
    open.push(start);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [row, column] = [Math.floor(at / width), at % width];
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
          const next = y * width + x;
          if (!mask[next] || labels[next]) continue;
          labels[next] = count;
          open.push(next);
        }
      }
    }
  }
  return { labels, count };
}
