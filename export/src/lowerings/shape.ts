import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../graph/builder.js';
import { inverse, permute, range, sameShape, sizeOf } from '../graph/shapes.js';
import type { DType, Value } from '../graph/value.js';
import { CHANNELS_FIRST, dense, laidOut, shapeOf, type View, view } from '../graph/view.js';
import { lower, lowerViews, type Table } from './table.js';

type X<A = object> = { x: A };

interface StridedSlice {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

/** The value's axis that holds an axis of the tensor. */
const axisOf = (x: View, axis: number): number => x.perm?.[axis] ?? axis;

/** The part of a tensor that starts at `begin`. */
function part(b: Builder, x: View, begin: readonly number[], size: readonly number[]): View {
  const order = x.perm ? inverse(x.perm) : range(begin.length);
  const end = begin.map((v, i) => v + (size[i] as number));
  return view(b.Slice(x.value, permute(begin, order), permute(end, order)), x.perm);
}

/** `size` rows of one axis. */
function along(b: Builder, x: View, axis: number, from: number, size: number): View {
  const shape = shapeOf(x);
  return part(
    b,
    x,
    shape.map((_, i) => (i === axis ? from : 0)),
    shape.map((d, i) => (i === axis ? size : d)),
  );
}

/** Rows of one axis by their numbers. */
export function takeRows(b: Builder, x: View, axis: number, rows: readonly number[]): View {
  const numbers = b.constant(Int32Array.from(rows), [rows.length], 'int32');
  return view(b.Gather(x.value, numbers, axisOf(x, axis)), x.perm);
}

/** Further to the front than any tensor reaches. */
const BEFORE_ALL = -(2 ** 31);

function reverse(b: Builder, x: View, axes: readonly number[]): View {
  const turned = axes.map((a) => axisOf(x, a));
  const { shape } = x.value;
  const pick = (on: number, off: (d: number) => number): number[] =>
    shape.map((d, i) => (turned.includes(i) ? on : off(d)));
  // From the last element on, whatever the size is.
  const begin = pick(-1, () => 0);
  const end = pick(BEFORE_ALL, (d) => d);
  const steps = pick(-1, () => 1);
  const turnedRound = b.Slice(x.value, begin, end, steps);
  // Turned round twice, as what a recurrent layer computes backwards, it is as it was.
  const [before, now] = [x.value.node, turnedRound.node];
  const again =
    before?.op === 'Slice' && now?.inputs.every((v, i) => i === 0 || v === before.inputs[i]);
  return view(again ? (before.inputs[0] as Value) : turnedRound, x.perm);
}

export const SHAPE: Table = {
  Identity: lowerViews<X<View>>(({ x }) => x),
  // TF.js reshapes to the shape that is there already, after a normalisation for example: then a
  // pending permutation stays pending.
  Reshape: lowerViews<X<View>, { shape: number[] }>(({ x }, attrs, b) => {
    const from = shapeOf(x);
    const shape = tf.util.inferFromImplicitShape(attrs.shape, sizeOf(from));
    return sameShape(from, shape) ? x : view(b.Reshape(dense(b, x), shape));
  }),
  ExpandDims: lower<{ input: unknown }, { dim: number }>(({ input }, { dim }, b) => {
    const at = dim < 0 ? dim + input.shape.length + 1 : dim;
    return b.Reshape(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
  }),
  // A transposition changes only how TF.js's axes map to the value's: nothing moves yet.
  Transpose: lowerViews<X<View>, { perm: number[] }>(({ x }, { perm }) =>
    view(x.value, permute(x.perm ?? range(perm.length), perm)),
  ),
  Tile: lower<X, { reps: number[] }>(({ x }, { reps }, b) => b.Tile(x, reps)),
  BroadcastTo: lower<X, { shape: number[] }>(({ x }, { shape }, b) => b.Expand(x, shape)),
  Slice: lowerViews<X<View>, { begin: number | number[]; size: number | number[] }>(
    ({ x }, attrs, b) => {
      const info = { shape: [...shapeOf(x)], dtype: 'float32' } as tf.Tensor;
      const [begin, size] = tf.slice_util.parseSliceParams(info, attrs.begin, attrs.size) as [
        number[],
        number[],
      ];
      tf.slice_util.assertParamsValid(info, begin, size);
      return part(b, x, begin, size);
    },
  ),
  StridedSlice: lower<X, StridedSlice>(({ x }, a, b) => {
    const { finalShapeSparse, finalShape, begin, end, strides } = tf.slice_util.sliceInfo(
      [...x.shape],
      a.begin,
      a.end,
      a.strides,
      a.beginMask,
      a.endMask,
      a.ellipsisMask,
      a.newAxisMask,
      a.shrinkAxisMask,
    );
    if (sizeOf(finalShapeSparse) === 0) return b.full(0, finalShape, x.dtype);
    // Before the first element is −1 in TF.js, and the last element in ONNX.
    const stop = (e: number, i: number): number =>
      (strides[i] as number) < 0 && e < 0 ? -(x.shape[i] as number) - 1 : e;
    return b.Reshape(b.Slice(x, begin, end.map(stop), strides), finalShape);
  }),
  SplitV: lowerViews<X<View>, { numOrSizeSplits: number | number[]; axis: number }>(
    ({ x }, { numOrSizeSplits, axis }, b) => {
      const shape = [...shapeOf(x)];
      const [at] = tf.util.parseAxisParam(axis, shape) as [number];
      const sizes = tf.backend_util.prepareSplitSize({ shape } as tf.Tensor, numOrSizeSplits, at);
      return sizes.map((size, k) => {
        const from = sizes.slice(0, k).reduce((p, q) => p + q, 0);
        return along(b, x, at, from, size);
      });
    },
  ),
  Unpack: lower<{ value: Value }, { axis: number }>(({ value }, { axis }, b) => {
    const at = axis < 0 ? axis + value.shape.length : axis;
    const shape = value.shape.filter((_, i) => i !== at);
    return range(value.shape[at] as number).map((i) =>
      b.Reshape(along(b, view(value), at, i, 1).value, shape),
    );
  }),
  PadV2: lowerViews<X<View>, { paddings: [number, number][]; constantValue: number }>(
    ({ x }, { paddings, constantValue }, b) => {
      const order = x.perm ? inverse(x.perm) : range(paddings.length);
      return view(b.Pad(x.value, permute(paddings, order), constantValue), x.perm);
    },
  ),
  // Rows by number: ONNX's own modes cannot repeat the edge ("symmetric").
  MirrorPad: lowerViews<X<View>, { paddings: [number, number][]; mode: 'reflect' | 'symmetric' }>(
    ({ x }, { paddings, mode }, b) => {
      const edge = mode === 'reflect' ? 0 : 1;
      return paddings.reduce((v, [before, after], axis) => {
        if (before === 0 && after === 0) return v;
        const size = shapeOf(v)[axis] as number;
        const rows = range(before + size + after, -before).map((i) => {
          if (i < 0) return -i - edge;
          return i < size ? i : 2 * (size - 1) - i + edge;
        });
        return takeRows(b, v, axis, rows);
      }, x);
    },
  ),
  Concat: lowerViews<Record<string, View>, { axis: number }>((inputs, { axis }, b) => {
    const all = Object.values(inputs) as View[];
    const views = all.filter((v) => sizeOf(v.value.shape) > 0);
    const first = views[0] ?? (all[0] as View);
    const [at] = tf.util.parseAxisParam(axis, [...shapeOf(first)]) as [number];
    const shapes = all.map((v) => [...shapeOf(v)]);
    tf.backend_util.assertParamsConsistent(shapes, at);
    if (views.length === 0) {
      return view(b.full(0, tf.backend_util.computeOutShape(shapes, at), first.value.dtype));
    }
    const perm = views.find((v) => v.perm)?.perm ?? range(shapeOf(first).length);
    const values = views.map((v) => laidOut(b, v, perm));
    return view(b.Concat(values, perm[at] as number), perm);
  }),
  Pack: lower<Record<string, unknown>, { axis: number }>((inputs, { axis }, b) => {
    const values = Object.values(inputs) as Value[];
    const rank = (values[0] as Value).shape.length + 1;
    const at = axis < 0 ? axis + rank : axis;
    const expanded = values.map((v) =>
      b.Reshape(v, [...v.shape.slice(0, at), 1, ...v.shape.slice(at)]),
    );
    return b.Concat(expanded, at);
  }),
  SpaceToBatchND: lower<X, { blockShape: number[]; paddings: [number, number][] }>(
    ({ x }, { blockShape, paddings }, b) => {
      const rest = x.shape.slice(1 + blockShape.length).map((): [number, number] => [0, 0]);
      const padded = b.Pad(x, [[0, 0], ...paddings, ...rest]);
      const shape = [...padded.shape];
      const blocks = sizeOf(blockShape);
      const split = tf.backend_util.getReshaped(shape, blockShape, blocks, false);
      const perm = tf.backend_util.getPermuted(split.length, blockShape.length, false);
      const joined = tf.backend_util.getReshapedPermuted(shape, blockShape, blocks, false);
      return b.Reshape(b.Transpose(b.Reshape(padded, split), perm), joined);
    },
  ),
  BatchToSpaceND: lower<X, { blockShape: number[]; crops: number[][] }>(
    ({ x }, { blockShape, crops }, b) => {
      const shape = [...x.shape];
      const blocks = sizeOf(blockShape);
      const split = tf.backend_util.getReshaped(shape, blockShape, blocks);
      const perm = tf.backend_util.getPermuted(split.length, blockShape.length);
      const joined = tf.backend_util.getReshapedPermuted(shape, blockShape, blocks);
      const whole = b.Reshape(b.Transpose(b.Reshape(x, split), perm), joined);
      const crop = (i: number): number[] => crops[i - 1] ?? [0, 0];
      const begin = joined.map((_, i) => crop(i)[0] as number);
      return b.Slice(
        whole,
        begin,
        joined.map((d, i) => d - (crop(i)[1] as number)),
      );
    },
  ),
  DepthToSpace: lowerViews<X<View>, { blockSize: number; dataFormat: 'NHWC' | 'NCHW' }>(
    ({ x }, { blockSize, dataFormat }, b) => {
      const last = dataFormat === 'NHWC';
      const images = last ? laidOut(b, x, CHANNELS_FIRST) : dense(b, x);
      const [n, c, h, w] = images.shape as [number, number, number, number];
      const shape = [n, c / blockSize ** 2, h * blockSize, w * blockSize];
      const out = { shape, dtype: images.dtype };
      const y = b.op('DepthToSpace', [images], { blocksize: blockSize, mode: 'DCR' }, out)[0];
      return view(y as Value, last ? CHANNELS_FIRST : undefined);
    },
  ),
  Fill: (_, attrs, b) => {
    const { shape, value, dtype } = attrs as { shape: number[]; value: number; dtype?: DType };
    return view(b.full(value, shape, dtype ?? (tf.util.inferDtype(value) as DType)));
  },
  ZerosLike: lowerViews<X<View>>(({ x }, _, b) => view(b.full(0, shapeOf(x), x.value.dtype))),
  OnesLike: lowerViews<X<View>>(({ x }, _, b) => view(b.full(1, shapeOf(x), x.value.dtype))),
  Reverse: lowerViews<X<View>, { dims: number[] }>(({ x }, { dims }, b) =>
    reverse(b, x, tf.util.parseAxisParam(dims, [...shapeOf(x)])),
  ),
  FlipLeftRight: lowerViews<{ image: View }>(({ image }, _, b) => reverse(b, image, [2])),
};
