import type { Builder } from './builder.js';
import { sizeOf } from './shapes.js';
import type { Data, DType, Value } from './value.js';

/**
 * A constant of one row per image must not be baked in at the size of the batch that was traced.
 * Two kinds depend on that size in a way that can be written down: rows that are all the same, such
 * as the first state of a recurrent layer, and rows of integers that rise by a step, such as the
 * places of images in a gather. Others stay as they are, and are refused when the batch is freed.
 *
 * @param batch the size that stands for the free one
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
  const step = Number(values[size]) - Number(values[0]);
  if (dtype !== 'int32' || !byRow || !rises(values, size, step)) return undefined;
  // 0, 1, 2 …: how many ones come before each.
  const ones = b.full(1, [lead], dtype);
  const place = b.op('CumSum', [ones, b.scalar(0, 'int32')], { exclusive: 1 }, ones)[0] as Value;
  const column = b.Reshape(place, [lead, ...rest.map(() => 1)]);
  return b.Add(first, b.Mul(column, b.scalar(step, dtype)));
}

/** Whether each row is the one before it plus `step`. */
const rises = (values: Data, size: number, step: number): boolean =>
  values.every(
    (v: number | bigint, i: number) => i < size || Number(v) === Number(values[i - size]) + step,
  );
