import * as tf from '@tensorflow/tfjs-core';
import type { DType, Value } from '../graph.js';
import { inverse, permute, range } from '../shapes.js';
import { laidOut, shapeOf, type View, view } from '../view.js';
import { lower, lowerViews, type Table } from './table.js';

type X<A = object> = { x: A };

export const SHAPE: Table = {
  Identity: lowerViews<X<View>>(({ x }) => x),
  Reshape: lower<X, { shape: number[] }>(({ x }, { shape }, b) =>
    b.Reshape(x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape([...x.shape]))),
  ),
  ExpandDims: lower<{ input: unknown }, { dim: number }>(({ input }, { dim }, b) => {
    const at = dim < 0 ? dim + input.shape.length + 1 : dim;
    return b.Reshape(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
  }),
  // A transposition changes only how TF.js's axes map to the value's: nothing moves yet.
  Transpose: lowerViews<X<View>, { perm: number[] }>(({ x }, { perm }) =>
    view(x.value, permute(x.perm ?? range(perm.length), perm)),
  ),
  Tile: lower<X, { reps: number[] }>(({ x }, { reps }, b) => b.Tile(x, reps)),
  Slice: lowerViews<X<View>, { begin: number | number[]; size: number | number[] }>(
    ({ x }, attrs, b) => {
      const shape = shapeOf(x);
      const info = { shape: [...shape], dtype: 'float32' } as tf.Tensor;
      const [begin, size] = tf.slice_util.parseSliceParams(info, attrs.begin, attrs.size) as [
        number[],
        number[],
      ];
      const order = x.perm ? inverse(x.perm) : range(shape.length);
      const end = begin.map((v, i) => v + (size[i] as number));
      return view(b.Slice(x.value, permute(begin, order), permute(end, order)), x.perm);
    },
  ),
  PadV2: lowerViews<X<View>, { paddings: [number, number][]; constantValue: number }>(
    ({ x }, { paddings, constantValue }, b) => {
      const order = x.perm ? inverse(x.perm) : range(paddings.length);
      return view(b.Pad(x.value, permute(paddings, order), constantValue), x.perm);
    },
  ),
  Concat: lowerViews<Record<string, View>, { axis: number }>((inputs, { axis }, b) => {
    const views = Object.values(inputs) as View[];
    const first = views[0] as View;
    const at = axis < 0 ? axis + shapeOf(first).length : axis;
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
  Fill: (_, attrs, b) => {
    const { shape, value, dtype } = attrs as { shape: number[]; value: number; dtype?: DType };
    return view(b.full(value, shape, dtype ?? (tf.util.inferDtype(value) as DType)));
  },
  ZerosLike: lowerViews<X<View>>(({ x }, _, b) => view(b.full(0, shapeOf(x), x.value.dtype))),
  OnesLike: lowerViews<X<View>>(({ x }, _, b) => view(b.full(1, shapeOf(x), x.value.dtype))),
  Reverse: lower<X, { dims: number[] }>(({ x }, { dims }, b) => {
    const axes = tf.util.parseAxisParam(dims, [...x.shape]);
    const pick = (on: (d: number) => number, off: (d: number) => number) =>
      x.shape.map((d, i) => (axes.includes(i) ? on(d) : off(d)));
    return b.Slice(
      x,
      pick(
        (d) => d - 1,
        () => 0,
      ),
      pick(
        (d) => -d - 1,
        (d) => d,
      ),
      pick(
        () => -1,
        () => 1,
      ),
    );
  }),
};
