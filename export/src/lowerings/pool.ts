import type { Builder } from '../graph/builder.js';
import { range, sizeOf } from '../graph/shapes.js';
import type { Attrs, Value } from '../graph/value.js';
import {
  CHANNELS_FIRST,
  dense,
  laidOut,
  shapeOf,
  type View,
  VOLUME_CHANNELS_FIRST,
  view,
} from '../graph/view.js';
import {
  type Axis,
  type Geometry,
  type PoolAttrs,
  paddingOf,
  poolGeometry,
} from './conv/geometry.js';
import { transposed } from './conv/nd.js';
import { type Lowering, lowerViews, type Table } from './table.js';

/** Pools of images and volumes: [batch, channels, …] to ONNX, whichever way they lie in TF.js. */

type Pool = Geometry<readonly Axis[]>;

const permOf = (g: Pool): readonly number[] | undefined =>
  g.channelsLast ? (g.axes.length === 2 ? CHANNELS_FIRST : VOLUME_CHANNELS_FIRST) : undefined;

function channelsFirst(b: Builder, x: View, g: Pool): Value {
  const perm = permOf(g);
  return b.Cast(perm ? laidOut(b, x, perm) : dense(b, x), 'float32');
}

const poolAttrs = (b: Builder, g: Pool): Attrs => ({
  kernel_shape: g.axes.map((a) => a.kernel),
  strides: g.axes.map((a) => a.stride),
  ...paddingOf(b, g.batch, g.axes),
});

const pooled = (x: Value, g: Pool): number[] => [
  ...x.shape.slice(0, 2),
  ...g.axes.map((a) => a.output),
];

/** ONNX wants less padding than a window is large. */
const isWide = (g: Pool): boolean =>
  g.axes.some((a) => a.before >= a.kernel || a.after >= a.kernel);

/**
 * Padding written out. A row of the value is added and gathered wherever padding is due: a plain
 * Pad would be merged into the pool by onnxruntime's optimiser, which is wrong for wide padding.
 */
function padded(b: Builder, x: Value, g: Pool, value: number): Value {
  return g.axes.reduce((v, a, i) => {
    const axis = i + 2;
    const after = Math.max(0, a.after);
    if (a.before + after === 0) return v;
    const one = v.shape.map((_, k): [number, number] => [0, k === axis ? 1 : 0]);
    const rows = range(a.before + a.input + after, -a.before).map((r) =>
      r < 0 || r >= a.input ? a.input : r,
    );
    const numbers = b.constant(Int32Array.from(rows), [rows.length], 'int32');
    return b.Gather(b.Pad(v, one, value), numbers, axis);
  }, x);
}

const unpadded = (g: Pool): Pool => ({
  ...g,
  axes: g.axes.map((a) => ({ ...a, before: 0, after: 0, same: false })),
});

const run = (b: Builder, op: string, x: Value, g: Pool, attrs: Attrs = {}): Value => {
  const out = { shape: pooled(x, g), dtype: 'float32' } as const;
  return b.op(op, [x], { ...poolAttrs(b, g), ...attrs }, out)[0] as Value;
};

function maxPool(b: Builder, x: Value, g: Pool): Value {
  if (!isWide(g)) return run(b, 'MaxPool', x, g);
  return run(b, 'MaxPool', padded(b, x, g, Number.NEGATIVE_INFINITY), unpadded(g));
}

/** The mean of what lies inside of the image; windows that lie wholly outside give 0. */
function averagePool(b: Builder, x: Value, g: Pool): Value {
  if (!isWide(g)) return run(b, 'AveragePool', x, g);
  const ones = b.full(1, [1, 1, ...x.shape.slice(2)], 'float32');
  const mean = (v: Value) => run(b, 'AveragePool', padded(b, v, g, 0), unpadded(g));
  const inside = mean(ones);
  return b.Where(b.Equal(inside, b.float(0)), b.float(0), b.Div(mean(x), inside));
}

const pool = (f: (b: Builder, x: Value, g: Pool) => Value): Lowering =>
  lowerViews<{ x: View }, PoolAttrs>(({ x }, attrs, b) => {
    const g = poolGeometry(shapeOf(x), attrs);
    if (g.axes.every((a) => a.kernel === 1 && a.input === a.output)) return x;
    return view(f(b, channelsFirst(b, x, g), g), permOf(g));
  });

/** The largest of each window and its place in the tensor, counted over all axes. */
function maxAndPlace(b: Builder, x: Value, g: Pool): [Value, Value] {
  const shape = pooled(x, g);
  const outs = [{ shape, dtype: 'float32' } as const, { shape, dtype: 'int64' } as const];
  return b.op('MaxPool', [x], poolAttrs(b, g), ...outs) as unknown as [Value, Value];
}

const maxPoolGrad: Lowering = lowerViews<{ dy: View; input: View }, PoolAttrs>(
  ({ dy, input }, attrs, b) => {
    const g = poolGeometry(shapeOf(input), attrs);
    const x = channelsFirst(b, input, g);
    const [, places] = maxAndPlace(b, x, g);
    const flat = (v: Value) => b.Reshape(v, [sizeOf(v.shape)]);
    const size = sizeOf(x.shape);
    const out = { shape: [size], dtype: 'float32' } as const;
    const inputs = [b.full(0, [size], 'float32'), flat(places), flat(channelsFirst(b, dy, g))];
    const [dx] = b.op('ScatterElements', inputs, { axis: 0, reduction: 'add' }, out);
    return view(b.Reshape(dx as Value, x.shape), permOf(g));
  },
);

/** Each window hands its gradient out in equal parts; TF.js counts the places outside, too. */
const averagePoolGrad: Lowering = lowerViews<{ dy: View; input: View }, PoolAttrs>(
  ({ dy, input }, attrs, b) => {
    const g = poolGeometry(shapeOf(input), attrs);
    const kernel = g.axes.map((a) => a.kernel);
    const share = new Float32Array(g.inChannels * sizeOf(kernel)).fill(1 / sizeOf(kernel));
    const weights = b.constant(share, [g.inChannels, 1, ...kernel], 'float32');
    return view(transposed(b, channelsFirst(b, dy, g), weights, g.axes, g.inChannels), permOf(g));
  },
);

export const POOL: Table = {
  MaxPool: pool(maxPool),
  MaxPool3D: pool(maxPool),
  AvgPool: pool(averagePool),
  AvgPool3D: pool(averagePool),
  MaxPoolGrad: maxPoolGrad,
  MaxPool3DGrad: maxPoolGrad,
  AvgPoolGrad: averagePoolGrad,
  AvgPool3DGrad: averagePoolGrad,
  // ONNX counts places channels-first over the batch, TF.js channels-last, in each image by default.
  MaxPoolWithArgmax: lowerViews<{ x: View }, PoolAttrs & { includeBatchInIndex: boolean }>(
    ({ x }, attrs, b) => {
      const g = poolGeometry(shapeOf(x), attrs);
      const images = channelsFirst(b, x, g);
      const known = b.Where(b.IsNaN(images), b.float(Number.NEGATIVE_INFINITY), images);
      const [largest, places] = maxAndPlace(b, known, g);
      const pixels = sizeOf(g.axes.map((a) => a.input));
      const integer = (n: number) => b.scalar(n, 'int64');
      const pixel = b.Mod(places, integer(pixels));
      const channel = b.iota([1, g.inChannels, 1, 1], 'int64');
      const own = b.Add(b.Mul(pixel, integer(g.inChannels)), channel);
      const image = b.Mul(b.countRows([g.batch, 1, 1, 1]), integer(pixels * g.inChannels));
      const index = attrs.includeBatchInIndex ? b.Add(own, image) : own;
      return [view(largest, CHANNELS_FIRST), view(b.Cast(index, 'int32'), CHANNELS_FIRST)];
    },
  ),
};
