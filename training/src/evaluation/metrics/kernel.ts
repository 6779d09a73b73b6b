/** The kernel distance (KID). */
import { stream } from '@gpn/runtime';
import { products } from './pairs.js';
import { average, pick, type Rows, rowsOf, sameSize } from './rows.js';

/** A kernel distance with its standard error. */
export interface KernelDistance {
  readonly value: number;
  /** Standard error of the value: the blocks' standard deviation over √blocks. */
  readonly error: number;
  readonly blocks: number;
}

/**
 * The kernel distance (KID, Bińkowski et al. 2018): the squared maximum mean discrepancy under the
 * kernel (x·y / size + 1)³. The estimate is unbiased, so it is 0 on average for equal distributions
 * and may be negative. It is the mean over disjoint blocks of images, in an order drawn from the seed;
 * because the blocks are disjoint, their spread gives the standard error.
 *
 * @param blockSize images of each set in a block
 * @throws RangeError if the sizes of the rows differ
 */
export async function kernelDistance(
  real: Rows,
  fake: Rows,
  { blockSize = 1000, seed = 0 } = {},
): Promise<KernelDistance> {
  sameSize(real, fake);
  const count = Math.min(real.count, fake.count);
  const size = Math.min(blockSize, count);
  const blocks = Math.floor(count / size);
  const [ofReal, ofFake] = [real, fake].map((set, i) =>
    stream(seed, 'kernel', i).permutation(set.count),
  ) as [Uint32Array, Uint32Array];
  const values: number[] = [];
  for (let b = 0; b < blocks; b++) {
    const block = (set: Rows, order: Uint32Array) =>
      pick(set, order.subarray(b * size, (b + 1) * size));
    values.push(await discrepancy(block(real, ofReal), block(fake, ofFake)));
  }
  const value = average(values);
  const variance = values.reduce((s, x) => s + (x - value) ** 2, 0) / Math.max(1, blocks - 1);
  return { value, error: blocks > 1 ? Math.sqrt(variance / blocks) : Number.NaN, blocks };
}

/** The unbiased estimate from two sets of equal size; no row is compared with itself. */
async function discrepancy(a: Rows, b: Rows): Promise<number> {
  const both = new Float32Array(a.data.length + b.data.length);
  both.set(a.data);
  both.set(b.data, a.data.length);
  const dots = await products(rowsOf(both, a.size), rowsOf(both, a.size));
  const n = a.count;
  let [within, between] = [0, 0];
  for (let i = 0; i < 2 * n; i++) {
    for (let j = 0; j < i; j++) {
      const base = (dots[i * 2 * n + j] as number) / a.size + 1;
      const kernel = base * base * base;
      if (i < n === j < n) within += kernel;
      else between += kernel;
    }
  }
  // The loop visits each pair once, but the estimate contains it in both orders.
  return (2 * within) / (n * (n - 1)) - (2 * between) / (n * n);
}
