/** What structured grids are drawn from: a class for each row, a swept code along the columns. */

import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { checkCount } from '../session/batches.js';
import { codesOf, latents, type SampleOptions } from './inputs.js';

/** A code whose value goes from one column to the next in equal steps, both ends included. */
export interface Sweep {
  /** Which code, from 0. */
  code: number;
  from: number;
  to: number;
  steps: number;
}

export interface GridPlan {
  /** The classes, in the order of their rows; all unless given. */
  labels?: readonly number[];
  /**
   * Images of each class. Without a sweep they are the columns, 10 unless given; with one they are
   * rows below each other, 1 unless given.
   */
  count?: number;
  /** The same seed gives the same grid; 0 unless given. */
  seed?: number;
  /** Latents of one's own, [count, size], instead of the seed's. */
  latents?: Float32Array;
  /** Values of codes by their number. Where any is given, or a sweep, the others are 0. */
  codes?: Readonly<Record<number, number>>;
  sweep?: Sweep;
}

/** Inputs for `Generator.sample`, and how many images of the result lie side by side. */
export type GridInputs = Required<Pick<SampleOptions, 'count' | 'latents'>> &
  Pick<SampleOptions, 'labels' | 'codes'> & { columns: number };

/**
 * The inputs of a grid in which nothing but the class changes from row to row, and nothing but the
 * latents, or a swept code, from column to column: image j of every class has the latents (and
 * codes) of image j of the seed.
 *
 * @throws UserError where the model has no such class or code
 */
export function gridInputs(info: ModelInfo, plan: GridPlan = {}): GridInputs {
  const { seed = 0, sweep, codes: fixed } = plan;
  const { condition, codes } = info;
  const size = info.latent?.size ?? 1;
  const given = plan.latents && plan.latents.length / size;
  const count = plan.count ?? given ?? (sweep ? 1 : 10);
  checkCount(count, size, 'images');
  if (condition === undefined && plan.labels !== undefined) {
    throw new UserError(`${info.name} has no classes, so it takes no labels.`);
  }
  const classes =
    condition && (plan.labels ?? Array.from({ length: condition.classes }, (_, k) => k));
  const steps = sweep?.steps ?? 1;
  checkCount(steps, 1, 'steps of a sweep');
  for (const code of Object.keys(fixed ?? {}).map(Number)) checkCode(info, code);
  if (sweep) checkCode(info, sweep.code);

  // Image (class, j, step) lies at ((class · count) + j) · steps + step.
  const rows = (classes?.length ?? 1) * count;
  const total = rows * steps;
  checkCount(total, size, 'images');
  if (given !== undefined && given !== count) {
    throw new UserError(
      `${count} images take ${count} × ${size} latents, not ${size * given} values.`,
    );
  }
  const own = plan.latents ?? latents(info, count, seed);
  const result: GridInputs = {
    count: total,
    columns: sweep ? steps : count,
    latents: repeated(own, size, total, (k) => Math.floor(k / steps) % count),
  };
  if (classes) {
    const label = (k: number) => classes[Math.floor(k / (count * steps))] as number;
    result.labels = Array.from({ length: total }, (_, k) => label(k));
  }
  if (codes && (fixed || sweep)) {
    result.codes = new Float32Array(total * codes.size);
    for (let k = 0; k < total; k++) {
      const at = k * codes.size;
      for (const [code, value] of Object.entries(fixed ?? {})) {
        result.codes[at + Number(code)] = value;
      }
      if (sweep) result.codes[at + sweep.code] = along(sweep, k % steps);
    }
  } else if (codes) {
    result.codes = repeated(codesOf(info, count, seed), codes.size, total, (k) => k % count);
  }
  return result;
}

function checkCode({ name, codes }: ModelInfo, code: number): void {
  if (codes === undefined) throw new UserError(`${name} takes no codes.`);
  if (!Number.isInteger(code) || code < 0 || code >= codes.size) {
    throw new UserError(`${name} has no code ${code}: its codes are 0 to ${codes.size - 1}.`);
  }
}

const along = ({ from, to, steps }: Sweep, k: number): number =>
  steps === 1 ? from : from + ((to - from) * k) / (steps - 1);

/** Rows of `size` values put together: row k is row `source(k)` of the given ones. */
function repeated(
  values: Float32Array,
  size: number,
  rows: number,
  source: (k: number) => number,
): Float32Array {
  const result = new Float32Array(rows * size);
  for (let k = 0; k < rows; k++) {
    const from = source(k) * size;
    result.set(values.subarray(from, from + size), k * size);
  }
  return result;
}
