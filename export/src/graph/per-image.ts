import type { Builder } from './builder.js';
import { sizeOf } from './shapes.js';
import type { Data, DType, Value } from './value.js';

/**
 * Writes a constant with as many rows per image so that it follows the batch, which is free when the
 * file runs. Three kinds can be written so: rows that are all the same, such as the first state of a
 * recurrent layer; the same few rows for every image, as of tf.tile; and numbers that rise by the same
 * step from row to row, such as the indices of images in a gather.
 *
 * @param batch the size at which the free batch is traced
 * @returns undefined for every other constant; the pass that frees the batch refuses those that depend
 *   on it
 */
export function perImage(
  b: Builder,
  values: Data,
  shape: readonly number[],
  dtype: DType,
  batch: number,
): Value | undefined {
  const ofBatch = (d: number) => d > 0 && d % batch === 0;
  if (!shape.some(ofBatch)) return undefined;
  const [lead, ...rest] = shape as [number, ...number[]];
  const byRow = ofBatch(lead) && !rest.some(ofBatch);
  const row = byRow ? [1, ...rest] : shape.map(() => 1);
  const size = sizeOf(row);
  const first = b.constant(values.slice(0, size), row, dtype);
  if (rises(values, size, 0)) return b.Expand(first, shape);
  if (!byRow) return undefined;
  const each = lead / batch;
  if (each > 1 && rises(values, each * size, 0)) {
    const rows = b.constant(values.slice(0, each * size), [each, ...rest], dtype);
    return b.Tile(rows, [batch, ...rest.map(() => 1)]);
  }
  const step = Number(values[size]) - Number(values[0]);
  if ((dtype !== 'int32' && dtype !== 'float32') || !rises(values, size, step)) return undefined;
  // 0, 1, 2 …, as the running sum of ones before each row.
  const ones = b.full(1, [lead], 'int32');
  const place = b.op('CumSum', [ones, b.scalar(0, 'int32')], { exclusive: 1 }, ones)[0] as Value;
  const column = b.Reshape(b.Cast(place, dtype), [lead, ...rest.map(() => 1)]);
  return b.Add(first, b.Mul(column, b.scalar(step, dtype)));
}

/** Whether each row is the one before it plus `step`. */
const rises = (values: Data, size: number, step: number): boolean =>
  values.every(
    (v: number | bigint, i: number) => i < size || Number(v) === Number(values[i - size]) + step,
  );
