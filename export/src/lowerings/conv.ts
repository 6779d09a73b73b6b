import type { Builder } from '../builder.js';
import type { Attrs, Value } from '../graph.js';
import { dense, laidOut, shapeOf, type View, view } from '../view.js';
import { type ConvAttrs, type Geometry, geometry } from './conv-geometry.js';
import { convolve, filterGradient, inputGradient } from './conv-products.js';
import { activate } from './elementwise.js';
import { type Lowering, lowerViews, type Table } from './table.js';

const FEW_CHANNELS = 8;

/** A channels-first value seen channels-last. */
const CHANNELS_FIRST = [0, 2, 3, 1];

const channelsFirst = (b: Builder, x: View, g: Geometry): Value =>
  g.channelsLast ? laidOut(b, x, CHANNELS_FIRST) : dense(b, x);
const channelsLast = (b: Builder, x: View, g: Geometry): Value =>
  g.channelsLast ? dense(b, x) : b.Transpose(dense(b, x), CHANNELS_FIRST);
const fromChannelsFirst = (y: Value, g: Geometry): View =>
  view(y, g.channelsLast ? CHANNELS_FIRST : undefined);
const fromChannelsLast = (b: Builder, y: Value, g: Geometry): View =>
  view(g.channelsLast ? y : b.Transpose(y, [0, 3, 1, 2]));

/**
 * There are two forms. Where the filter is a constant, as in a deployed network, ONNX's own Conv
 * and ConvTranspose: onnxruntime packs the weights once, when it loads. Where the filter is
 * computed, as in a training step, nothing can be packed and a product of matrices over the whole
 * batch is faster: see conv-products.ts.
 */
function convAttrs(g: Geometry): Attrs {
  const [h, w] = g.axes;
  return {
    kernel_shape: [h.kernel, w.kernel],
    strides: [h.stride, w.stride],
    dilations: [h.dilation, w.dilation],
    pads: [h.before, w.before, Math.max(0, h.after), Math.max(0, w.after)],
  };
}

function conv(b: Builder, x: View, filter: Value, g: Geometry): View {
  if (!filter.data && g.axes.every((a) => a.dilation === 1)) {
    return fromChannelsLast(b, convolve(b, channelsLast(b, x, g), filter, g), g);
  }
  const w = b.Transpose(filter, [3, 2, 0, 1]);
  const shape = [g.batch, g.outChannels, g.axes[0].output, g.axes[1].output];
  const out = { shape, dtype: 'float32' } as const;
  const y = b.op('Conv', [channelsFirst(b, x, g), w], convAttrs(g), out)[0] as Value;
  return fromChannelsFirst(y, g);
}

function convTranspose(b: Builder, dy: View, filter: Value, g: Geometry): View {
  const phased = g.axes.every((a) => a.dilation === 1 && a.kernel % a.stride === 0);
  const tiled = g.axes.every((a) => a.kernel === a.stride || a.output === 1);
  const [h, w] = g.axes;
  const fromOnePixel = g.axes.every(
    (a) => a.output === 1 && a.input === a.kernel && a.before === 0,
  );
  if (filter.data && fromOnePixel) return fromPixel(b, dy, filter, g);
  // For images of a few channels there is little to multiply, and much to gather.
  if (!filter.data && phased && (g.inChannels >= FEW_CHANNELS || tiled)) {
    return fromChannelsLast(b, inputGradient(b, channelsLast(b, dy, g), filter, g), g);
  }
  const weights = b.Transpose(filter, [3, 2, 0, 1]);
  // Rows and columns that no window reaches: ONNX calls them output padding.
  const output_padding = [Math.max(0, -h.after), Math.max(0, -w.after)];
  const attrs: Attrs = output_padding.some((p) => p > 0)
    ? { ...convAttrs(g), output_padding }
    : convAttrs(g);
  const shape = [g.batch, g.inChannels, h.input, w.input];
  const inputs = [channelsFirst(b, dy, g), weights];
  const out = { shape, dtype: 'float32' } as const;
  return fromChannelsFirst(b.op('ConvTranspose', inputs, attrs, out)[0] as Value, g);
}

/** A transposed convolution of a single pixel is a product of matrices. */
function fromPixel(b: Builder, dy: View, filter: Value, g: Geometry): View {
  const [h, w] = g.axes;
  const pixels = b.Reshape(dense(b, dy), [g.batch, g.outChannels]);
  const weights = b.Transpose(filter, [3, 2, 0, 1]);
  const matrix = b.Reshape(weights, [g.outChannels, g.inChannels * h.input * w.input]);
  const y = b.MatMul(pixels, matrix);
  return fromChannelsFirst(b.Reshape(y, [g.batch, g.inChannels, h.input, w.input]), g);
}

interface Fused {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

const fusedConv: Lowering = lowerViews<
  { x: View; filter: View; bias: View; preluActivationWeights: View },
  ConvAttrs & Fused
>((i, attrs, b) => {
  const g = geometry(shapeOf(i.x), shapeOf(i.filter), attrs);
  const y = conv(b, i.x, dense(b, i.filter), g);
  const perm = y.perm ?? [0, 1, 2, 3];
  const biased = i.bias ? b.Add(y.value, laidOut(b, i.bias, perm)) : y.value;
  return view(activate(b, biased, attrs.activation, attrs.leakyreluAlpha), perm);
});

export const CONV: Table = {
  Conv2D: lowerViews<{ x: View; filter: View }, ConvAttrs>(({ x, filter }, attrs, b) =>
    conv(b, x, dense(b, filter), geometry(shapeOf(x), shapeOf(filter), attrs)),
  ),
  FusedConv2D: fusedConv,
  /** The gradient for the input, which is also TF.js's transposed convolution. */
  Conv2DBackpropInput: lowerViews<{ dy: View; filter: View }, ConvAttrs & { inputShape: number[] }>(
    ({ dy, filter }, attrs, b) =>
      convTranspose(b, dy, dense(b, filter), geometry(attrs.inputShape, shapeOf(filter), attrs)),
  ),
  Conv2DBackpropFilter: lowerViews<{ x: View; dy: View }, ConvAttrs & { filterShape: number[] }>(
    ({ x, dy }, attrs, b) => {
      const g = geometry(shapeOf(x), attrs.filterShape, attrs);
      return view(filterGradient(b, channelsLast(b, x, g), channelsLast(b, dy, g), g));
    },
  ),
};
