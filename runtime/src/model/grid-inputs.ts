/** Inputs of structured grids: a class for each row, latents or values of a code for each column. */

import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { checkCount } from '../session/batches.js';
import { codesOf, floats, latents, type SampleOptions } from './inputs.js';

/** A code whose value changes from column to column in equal steps, including both ends. */
export interface Sweep {
  /** The code's number, from 0. */
  code: number;
  from: number;
  to: number;
  /** The number of values, from 1; a single one is `from`. */
  steps: number;
}

/** What a grid shows. */
export interface GridPlan {
  /** The classes in the order of their rows; by default all classes. */
  labels?: readonly number[];
  /**
   * Images of each class, from 1. Without a sweep they are columns, 10 by default; with a sweep they
   * are rows, 1 by default.
   */
  count?: number;
  /** The seed of latents and codes, a whole number in [0, 2^53); 0 by default. */
  seed?: number;
  /** Latents to use instead of the seed's, [count, size] in row-major order. */
  latents?: ArrayLike<number>;
  /** Values of codes by their numbers. If there are any, or a sweep, all other codes are 0. */
  codes?: Readonly<Record<number, number>>;
  sweep?: Sweep;
}

/** Inputs for `Generator.sample`, and `columns`, the number of images in a row of the grid. */
export type GridInputs = Required<Pick<SampleOptions, 'count'>> &
  Pick<SampleOptions, 'labels'> & {
    latents: Float32Array;
    codes?: Float32Array;
    columns: number;
  };

/**
 * The inputs of a grid in which only the class changes from row to row, and only the latents or the
 * swept code from column to column. Image j of every class has the latents (and codes) of image j
 * of the seed.
 *
 * @throws UserError if the model has no such class or code, or the grid is too large
 */
export function gridInputs(info: ModelInfo, plan: GridPlan = {}): GridInputs {
  const { seed = 0, sweep, codes: fixed } = plan;
  const { condition, codes } = info;
  const size = info.latent?.size ?? 1;
  const asked = plan.latents && floats(plan.latents, 'latents');
  const given = asked && asked.length / size;
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

  // Image (class, j, step) has the index ((class · count) + j) · steps + step.
  const rows = (classes?.length ?? 1) * count;
  const total = rows * steps;
  checkCount(total, size, 'images');
  if (given !== undefined && given !== count) {
    throw new UserError(
      `${count} images take ${count} × ${size} latents, not ${size * given} values.`,
    );
  }
  const own = asked ?? latents(info, count, seed);
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
    const values = new Float32Array(total * codes.size);
    result.codes = values;
    for (let k = 0; k < total; k++) {
      const at = k * codes.size;
      for (const [code, value] of Object.entries(fixed ?? {})) {
        values[at + Number(code)] = value;
      }
      if (sweep) values[at + sweep.code] = along(sweep, k % steps);
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

/** An array of `rows` rows of `size` values: row k is row `source(k)` of `values`. */
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
