import type { Builder } from '../../graph/builder.js';
import { amidZeros } from '../../graph/fold.js';
import type { Attrs, Value } from '../../graph/value.js';
import { type Axis, paddingOf, padsOf } from './geometry.js';

/**
 * ONNX's convolutions over two or three axes, and the gradients that are convolutions themselves.
 * Images are [batch, channels, …], filters [out, in / groups, …], as ONNX has them.
 */

const kernels = (axes: readonly Axis[]): number[] => axes.map((a) => a.kernel);

function windowAttrs(axes: readonly Axis[], group: number, padding: Attrs = padsOf(axes)): Attrs {
  return {
    kernel_shape: kernels(axes),
    strides: axes.map((a) => a.stride),
    dilations: axes.map((a) => a.dilation),
    ...padding,
    ...(group > 1 && { group }),
  };
}

export function convolution(
  b: Builder,
  x: Value,
  weights: Value,
  axes: readonly Axis[],
  group = 1,
): Value {
  const [batch, channels] = [x.shape[0] as number, weights.shape[0] as number];
  const out = { shape: [batch, channels, ...axes.map((a) => a.output)], dtype: x.dtype };
  const attrs = windowAttrs(axes, group, paddingOf(b, batch, axes));
  return b.op('Conv', [x, weights], attrs, out)[0] as Value;
}

/**
 * A filter of a transposed convolution and its attributes, with as much padding in front as behind if
 * the filter is constant: some engines know no other. Where the padding differs, the filter gets zeros
 * on the side that has less. They add nothing, and the padding cuts off what the windows gain.
 */
function evenlyPadded(
  b: Builder,
  filter: Value,
  axes: readonly Axis[],
  group: number,
): [Value, Attrs] {
  const short = axes.map((a) => (Math.max(0, a.after) - a.before) / a.dilation);
  if (!filter.data || !short.every(Number.isInteger)) return [filter, windowAttrs(axes, group)];
  const even = axes.map((a, i) => {
    const padding = Math.max(a.before, a.after);
    const kernel = a.kernel + Math.abs(short[i] as number);
    return { ...a, kernel, before: padding, after: padding };
  });
  const shape = [...filter.shape.slice(0, 2), ...kernels(even)];
  const front = [0, 0, ...short.map((n) => Math.max(0, n))];
  const extended = b.constant(amidZeros(filter, front, shape), shape, filter.dtype);
  return [extended, windowAttrs(even, group)];
}

/** The gradient for the input of a convolution with this filter. */
export function transposed(
  b: Builder,
  dy: Value,
  filter: Value,
  axes: readonly Axis[],
  group = 1,
): Value {
  // Rows and columns that no window reaches. ONNX calls them output padding, if fewer than a stride.
  const unused = axes.map((a) => Math.max(0, -a.after));
  const fits = axes.every((a, i) => (unused[i] as number) < a.stride);
  const reached = axes.map((a, i) => (fits ? a.input : a.input - (unused[i] as number)));
  const [weights, attrs] = evenlyPadded(b, filter, axes, group);
  const padded = fits && unused.some((u) => u > 0) ? { ...attrs, output_padding: unused } : attrs;
  const channels = (weights.shape[1] as number) * group;
  const out = { shape: [dy.shape[0] as number, channels, ...reached], dtype: dy.dtype };
  const dx = b.op('ConvTranspose', [dy, weights], padded, out)[0] as Value;
  const behind = unused.map((u): [number, number] => [0, fits ? 0 : u]);
  return b.Pad(dx, [[0, 0], [0, 0], ...behind]);
}

/**
 * The gradient for the filter: x is convolved with dy as its filter, the stride and the dilation
 * having changed places. x is [1, groups · batch, …] and dy [groups · out, batch, …], or both have
 * batch and channels swapped; the result is [x's batch, dy's batch, taps …].
 */
export function filterConvolution(
  b: Builder,
  x: Value,
  dy: Value,
  axes: readonly Axis[],
  group = 1,
): Value {
  const swapped = axes.map((a): Axis => {
    const room = a.input + a.before + Math.max(0, a.after) - ((a.output - 1) * a.stride + 1);
    const output = Math.floor(room / a.dilation) + 1;
    return { ...a, kernel: a.output, stride: a.dilation, dilation: a.stride, output, same: false };
  });
  const taps = convolution(b, x, dy, swapped, group);
  const lead = taps.shape.slice(0, 2);
  return b.Slice(taps, [0, 0, ...axes.map(() => 0)], [...lead, ...kernels(axes)]);
}
