import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../graph/builder.js';
import { range, sizeOf } from '../graph/shapes.js';
import type { DType, Value } from '../graph/value.js';
import { lower, type Table } from './table.js';

/** Gathers, scatters and counts, whose indices are tensors. */

const numeric = (d: DType): DType => (d === 'bool' ? 'int32' : d);

/** Rows of each batch by its own indices. The rows come first, because GatherND picks leading axes. */
function gatherBatches(b: Builder, x: Value, indices: Value, axis: number, dims: number): Value {
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(
    { shape: [...x.shape], dtype: 'float32' } as tf.Tensor,
    { shape: [...indices.shape], dtype: 'int32' } as tf.Tensor,
    axis,
    dims,
  );
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  const rows = b.Transpose(b.Reshape(x, [batchSize, outerSize, dimSize, sliceSize]), [0, 2, 1, 3]);
  const perBatch = sizeOf(indices.shape) / batchSize;
  const tuples = b.Reshape(b.Cast(indices, 'int64'), [batchSize, perBatch, 1]);
  return b.Reshape(b.Transpose(b.GatherND(rows, tuples, 1), [0, 2, 1, 3]), outputShape);
}

/** Index tuples as a matrix of int64, and the updates with one leading axis to match. */
function tuples(b: Builder, indices: Value, updates: Value, shape: readonly number[]) {
  const { sliceRank, numUpdates } = tf.backend_util.calculateShapes(
    { shape: [...updates.shape] } as tf.Tensor,
    { shape: [...indices.shape], rank: indices.shape.length } as tf.Tensor,
    [...shape],
  );
  const rows = b.Reshape(b.Cast(indices, 'int64'), [numUpdates, sliceRank]);
  const slices = [numUpdates, ...shape.slice(sliceRank)];
  // A single update may stand for all.
  const fits = sizeOf(updates.shape) === sizeOf(slices);
  return { rows, slices: fits ? b.Reshape(updates, slices) : b.Expand(updates, slices) };
}

/** Compares x with 0, 1, …, n − 1 along a new last axis. */
const equalsEach = (b: Builder, x: Value, n: number): Value =>
  b.Equal(b.Reshape(b.Cast(x, 'int32'), [...x.shape, 1]), b.iota([n], 'int32'));

/** Counts, or sums the weights of, each number below n in the last axis of x. */
function count(b: Builder, x: Value, weights: Value, n: number, binary = false): Value {
  const weighted = sizeOf(weights.shape) > 0;
  const dtype = weighted ? numeric(weights.dtype) : 'float32';
  const found = equalsEach(b, x, n);
  const axis = x.shape.length - 1;
  if (binary) return b.reduce('ReduceMax', b.Cast(found, dtype), [axis]);
  const weight = weighted ? b.Reshape(b.Cast(weights, dtype), [...x.shape, 1]) : b.scalar(1, dtype);
  return b.reduce('ReduceSum', b.Where(found, weight, b.scalar(0, dtype)), [axis]);
}

const flat = (b: Builder, x: Value): Value => b.Reshape(x, [sizeOf(x.shape)]);

interface Scan {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/**
 * A running product, which ONNX lacks: for each element, the product of those before
 * it (after it if `reverse`), and of itself unless `exclusive`.
 */
function runningProduct(b: Builder, x: Value, { axis, exclusive, reverse }: Scan): Value {
  const n = x.shape[axis] as number;
  const counts = (i: number, j: number): boolean =>
    (reverse ? j > i : j < i) || (!exclusive && i === j);
  const mask = range(n).flatMap((i) => range(n).map((j) => Number(counts(i, j))));
  const order = [...range(x.shape.length).filter((i) => i !== axis), axis];
  const rows = b.Transpose(b.Cast(x, numeric(x.dtype)), order);
  const each = b.Where(
    b.constant(Uint8Array.from(mask), [n, n], 'bool'),
    b.Reshape(rows, [...rows.shape.slice(0, -1), 1, n]),
    b.scalar(1, rows.dtype),
  );
  const back = range(order.length).map((i) => order.indexOf(i));
  return b.Transpose(b.reduce('ReduceProd', each, [rows.shape.length]), back);
}

interface OneHot {
  readonly depth: number;
  readonly onValue: number;
  readonly offValue: number;
  readonly dtype: DType;
}

export const GATHER: Table = {
  GatherV2: lower<{ x: Value; indices: Value }, { axis: number; batchDims: number }>(
    ({ x, indices }, { axis, batchDims = 0 }, b) => {
      const [at] = tf.util.parseAxisParam(axis, [...x.shape]) as [number];
      const dims = batchDims < 0 ? batchDims + indices.shape.length : batchDims;
      if (dims > 0) return gatherBatches(b, x, indices, at, dims);
      const size = x.shape[at] as number;
      const outside = indices.data?.find((i: number | bigint) => i < 0 || i >= size);
      if (outside !== undefined) {
        throw new Error(`gather: there is no row ${outside} on axis ${at} of [${x.shape}]`);
      }
      return b.Gather(x, b.Cast(indices, 'int32'), at);
    },
  ),
  GatherNd: lower<{ params: Value; indices: Value }>(({ params, indices }, _, b) =>
    indices.shape.at(-1) === 0
      ? b.Reshape(params, [...indices.shape.slice(0, -1), ...params.shape])
      : b.GatherND(params, b.Cast(indices, 'int64')),
  ),
  ScatterNd: lower<{ indices: Value; updates: Value }, { shape: number[] }>(
    ({ indices, updates }, { shape }, b) => {
      const dtype = numeric(updates.dtype);
      const { rows, slices } = tuples(b, indices, updates, shape);
      return b.ScatterND(b.full(0, shape, dtype), rows, b.Cast(slices, dtype), 'add');
    },
  ),
  TensorScatterUpdate: lower<{ tensor: Value; indices: Value; updates: Value }>(
    ({ tensor, indices, updates }, _, b) => {
      const { rows, slices } = tuples(b, indices, updates, tensor.shape);
      return b.ScatterND(tensor, rows, slices, 'none');
    },
  ),
  SparseToDense: lower<
    { sparseIndices: Value; sparseValues: Value; defaultValue: Value },
    { outputShape: number[] }
  >(({ sparseIndices, sparseValues, defaultValue }, { outputShape }, b) => {
    const { rows, slices } = tuples(b, sparseIndices, sparseValues, outputShape);
    const empty = b.Expand(b.Cast(defaultValue, sparseValues.dtype), outputShape);
    return b.ScatterND(empty, rows, slices, 'none');
  }),
  // ONNX's OneHot counts negative indices from the end; in TF.js they are hot nowhere.
  OneHot: lower<{ indices: Value }, OneHot>(({ indices }, a, b) => {
    const dtype = a.dtype ?? 'int32';
    const hot = equalsEach(b, indices, a.depth);
    return b.Where(hot, b.scalar(a.onValue, dtype), b.scalar(a.offValue, dtype));
  }),
  // Rows whose number is out of range are added to one row more, which is then cut off.
  UnsortedSegmentSum: lower<{ x: Value; segmentIds: Value }, { numSegments: number }>(
    ({ x, segmentIds }, { numSegments: n }, b) => {
      const ids = flat(b, b.Cast(segmentIds, 'int32'));
      const known = b.And(
        b.GreaterOrEqual(ids, b.scalar(0, 'int32')),
        b.Less(ids, b.scalar(n, 'int32')),
      );
      const target = b.Cast(b.Where(known, ids, b.scalar(n, 'int32')), 'int64');
      const inner = x.shape.slice(segmentIds.shape.length);
      const dtype = numeric(x.dtype);
      const rows = b.Reshape(b.Cast(x, dtype), [...ids.shape, ...inner]);
      const empty = b.full(0, [n + 1, ...inner], dtype);
      const sums = b.ScatterND(empty, b.Reshape(target, [...ids.shape, 1]), rows, 'add');
      return b.Slice(
        sums,
        sums.shape.map(() => 0),
        [n, ...inner],
      );
    },
  ),
  Bincount: lower<{ x: Value; weights: Value }, { size: number }>(({ x, weights }, { size }, b) =>
    count(b, flat(b, x), flat(b, weights), size),
  ),
  DenseBincount: lower<{ x: Value; weights: Value }, { size: number; binaryOutput: boolean }>(
    ({ x, weights }, { size, binaryOutput }, b) => count(b, x, weights, size, binaryOutput),
  ),
  // How many of the sorted numbers come before each value.
  SearchSorted: lower<{ sortedSequence: Value; values: Value }, { side: 'left' | 'right' }>(
    ({ sortedSequence, values }, { side }, b) => {
      const [rows, n] = sortedSequence.shape as [number, number];
      const sorted = b.Reshape(sortedSequence, [rows, 1, n]);
      const each = b.Reshape(values, [...values.shape, 1]);
      const before = side === 'left' ? b.Less(sorted, each) : b.LessOrEqual(sorted, each);
      return b.reduce('ReduceSum', b.Cast(before, 'int32'), [2]);
    },
  ),
  TopK: lower<{ x: Value }, { k: number }>(({ x }, { k }, b) => {
    const shape = [...x.shape.slice(0, -1), k];
    const outs = [{ shape, dtype: x.dtype } as const, { shape, dtype: 'int64' } as const];
    const attrs = { axis: -1, largest: 1, sorted: 1 };
    const [values, places] = b.op('TopK', [x, b.ints([k])], attrs, ...outs) as [Value, Value];
    return [values, b.Cast(places, 'int32')];
  }),
  Cumsum: lower<{ x: Value }, Scan>(({ x }, { axis, exclusive, reverse }, b) =>
    b.CumSum(b.Cast(x, numeric(x.dtype)), axis, exclusive, reverse),
  ),
  Cumprod: lower<{ x: Value }, Scan>(({ x }, attrs, b) => runningProduct(b, x, attrs)),
  Diag: lower<{ x: Value }>(({ x }, _, b) => {
    const n = sizeOf(x.shape);
    const diagonal = range(n * n).map((i) => Number(i % (n + 1) === 0));
    const mask = b.constant(Uint8Array.from(diagonal), [n, n], 'bool');
    const spread = b.Where(mask, b.Reshape(x, [1, n]), b.scalar(0, x.dtype));
    return b.Reshape(spread, [...x.shape, ...x.shape]);
  }),
  // In the order in which they come first, as TF.js has it; how many there are depends on values.
  Unique: lower<{ x: Value }, { axis?: number }>(({ x }, { axis = 0 }, b) => {
    const [at] = tf.util.parseAxisParam(axis, [...x.shape]) as [number];
    const size = x.shape[at] as number;
    const found = b.unknownSize(size);
    // onnxruntime has it for these two types.
    const parts = x.dtype === 'float32' ? x : b.Cast(x, 'int64');
    const [values, , places] = b.op(
      'Unique',
      [parts],
      { axis: at, sorted: 0 },
      { shape: x.shape.map((d, i) => (i === at ? found : d)), dtype: parts.dtype },
      { shape: [found], dtype: 'int64' },
      { shape: [size], dtype: 'int64' },
    ) as [Value, Value, Value];
    return [b.Cast(values, x.dtype), b.Cast(places, 'int32')];
  }),
  // Sizes of 1 give way to the other shape's, from the last axis on.
  BroadcastArgs: lower<{ s0: Value; s1: Value }>(({ s0, s1 }, _, b) => {
    const rank = Math.max(s0.shape[0] as number, s1.shape[0] as number);
    const [p, q] = [s0, s1].map((s) => b.Pad(s, [[rank - (s.shape[0] as number), 0]], 1));
    return b.Where(b.Equal(p as Value, b.scalar(1, s0.dtype)), q as Value, p as Value);
  }),
};
