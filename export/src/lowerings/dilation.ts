import type { Builder } from '../graph/builder.js';
import { range } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { type Axis, geometry } from './conv/geometry.js';
import { transposed } from './conv/nd.js';
import { lower, type Table } from './table.js';

/** Morphological dilation: the largest of x + filter in each window; images lie channels-last. */

interface Attrs {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same';
  readonly dilations: number | [number, number];
}

interface Taps {
  readonly axes: readonly [Axis, Axis];
  /** For each tap of the filter, x + filter at every place: [batch, height, width, channels]. */
  readonly taps: readonly Value[];
}

function taps(b: Builder, x: Value, filter: Value, attrs: Attrs): Taps {
  const [kh, kw, channels] = filter.shape as [number, number, number];
  const { axes } = geometry(x.shape, [kh, kw, channels, channels], attrs);
  const pads = axes.map((a): [number, number] => [a.before, Math.max(0, a.after)]);
  const lowest = Number.MIN_SAFE_INTEGER;
  const image = b.Pad(b.Cast(x, 'float32'), [[0, 0], ...pads, [0, 0]], lowest);
  const rows = b.Reshape(b.Cast(filter, 'float32'), [kh * kw, channels]);
  const strides = [1, ...axes.map((a) => a.stride), 1];
  const found = range(kh * kw).map((t) => {
    const tap = [Math.floor(t / kw), t % kw];
    const from = axes.map((a, i) => (tap[i] as number) * a.dilation);
    const to = axes.map((a, i) => (from[i] as number) + (a.output - 1) * a.stride + 1);
    const [n, , , c] = image.shape as [number, number, number, number];
    const places = b.Slice(image, [0, ...from, 0], [n, ...to, c], strides);
    return b.Add(places, b.Reshape(b.Slice(rows, [t, 0], [t + 1, channels]), [channels]));
  });
  return { axes, taps: found };
}

/** dy at the tap that was the largest (the first of equals), 0 at the others: [taps, …dy]. */
function routed(b: Builder, found: readonly Value[], dy: Value): Value {
  const stack = b.Concat(
    found.map((v) => b.Reshape(v, [1, ...v.shape])),
    0,
  );
  const out = { shape: [1, ...dy.shape], dtype: 'int64' } as const;
  const [largest] = b.op('ArgMax', [stack], { axis: 0, keepdims: 1 }, out) as [Value];
  const chosen = b.Equal(largest, b.iota([found.length, 1, 1, 1, 1], 'int64'));
  return b.Where(chosen, b.Reshape(b.Cast(dy, 'float32'), [1, ...dy.shape]), b.float(0));
}

type Filtered = { x: Value; filter: Value };

export const DILATION: Table = {
  Dilation2D: lower<Filtered, Attrs>(({ x, filter }, attrs, b) => {
    const largest = b.map('Max', taps(b, x, filter, attrs).taps);
    return b.Cast(largest, x.dtype);
  }),
  Dilation2DBackpropFilter: lower<Filtered & { dy: Value }, Attrs>(
    ({ x, filter, dy }, attrs, b) => {
      const gradient = routed(b, taps(b, x, filter, attrs).taps, dy);
      return b.Reshape(b.reduce('ReduceSum', gradient, [1, 2, 3]), filter.shape);
    },
  ),
  // Each tap's gradient goes back to the place it was read from: a transposed convolution with
  // filters that are 1 at their own tap.
  Dilation2DBackpropInput: lower<Filtered & { dy: Value }, Attrs>(({ x, filter, dy }, attrs, b) => {
    const { axes, taps: found } = taps(b, x, filter, attrs);
    const [count, channels] = [found.length, filter.shape[2] as number];
    const [n, h, w] = dy.shape as [number, number, number];
    const byChannel = b.Transpose(routed(b, found, dy), [1, 4, 0, 2, 3]);
    const images = b.Reshape(byChannel, [n, channels * count, h, w]);
    const own = new Float32Array(channels * count * count);
    for (let i = 0; i < channels * count; i++) own[i * count + (i % count)] = 1;
    const kernel = axes.map((a) => a.kernel);
    const weights = b.constant(own, [channels * count, 1, ...kernel], 'float32');
    return b.Transpose(transposed(b, images, weights, axes, channels), [0, 2, 3, 1]);
  }),
};
