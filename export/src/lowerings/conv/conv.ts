import type { Builder } from '../../graph/builder.js';
import { range } from '../../graph/shapes.js';
import { isConstant, type Value } from '../../graph/value.js';
import { CHANNELS_FIRST, dense, laidOut, shapeOf, type View, view } from '../../graph/view.js';
import { activate } from '../elementwise.js';
import { type Lowering, lowerViews, type Table } from '../table.js';
import { type ConvAttrs, type Geometry, geometry, mirrored } from './geometry.js';
import { convolution, filterConvolution, transposed } from './nd.js';
import * as direct from './products.js';
import * as winograd from './winograd.js';

const channelsFirst = (b: Builder, x: View, g: Geometry): Value =>
  g.channelsLast ? laidOut(b, x, CHANNELS_FIRST) : dense(b, x);
const channelsLast = (b: Builder, x: View, g: Geometry): Value =>
  g.channelsLast ? dense(b, x) : b.Transpose(dense(b, x), CHANNELS_FIRST);
const fromChannelsFirst = (y: Value, g: Geometry): View =>
  view(y, g.channelsLast ? CHANNELS_FIRST : undefined);
const fromChannelsLast = (b: Builder, y: Value, g: Geometry): View =>
  view(g.channelsLast ? y : b.Transpose(y, [0, 3, 1, 2]));

type Products = Pick<typeof direct, 'convolve' | 'inputGradient' | 'filterGradient'>;

/** The products of matrices that are quickest for these sizes. */
const products = (b: Builder, g: Geometry): Products =>
  b.fixed && winograd.fewerProducts(g) ? winograd : direct;

/**
 * At stride 1 a convolution of many channels into few is the gradient of one of few into many, by the
 * turned filter. Seen from there, windows are of the few channels, and their products are not of matrices
 * of a few columns, which onnxruntime multiplies slowly.
 */
const turnsRound = (b: Builder, g: Geometry): boolean =>
  b.fixed &&
  g.outChannels < g.inChannels &&
  g.axes.every((a) => a.stride === 1 && a.dilation === 1 && a.kernel > 1) &&
  g.axes.every((a) => a.before < a.kernel && a.after < a.kernel) &&
  !winograd.fewerProducts(g);

/**
 * There are two forms. If the filter is a constant, as in a deployed network, ONNX's own Conv
 * and ConvTranspose: onnxruntime packs the weights once, when it loads. If the filter is
 * computed, as in a training step, nothing can be packed and a product of matrices over the whole
 * batch is faster: see products.ts and, if channels are many, winograd.ts.
 */
function conv(b: Builder, x: View, filter: Value, g: Geometry): View {
  if (!isConstant(filter) && turnsRound(b, g)) {
    return convTranspose(b, x, direct.turned(b, filter, 1), mirrored(g));
  }
  if (!isConstant(filter) && g.axes.every((a) => a.dilation === 1)) {
    return fromChannelsLast(b, products(b, g).convolve(b, channelsLast(b, x, g), filter, g), g);
  }
  const weights = b.Transpose(filter, [3, 2, 0, 1]);
  return fromChannelsFirst(convolution(b, channelsFirst(b, x, g), weights, g.axes), g);
}

function convTranspose(b: Builder, dy: View, filter: Value, g: Geometry): View {
  const undilated = g.axes.every((a) => a.dilation === 1);
  const tiled = g.axes.every((a) => a.kernel === a.stride || a.output === 1);
  const fromOnePixel = g.axes.every(
    (a) => a.output === 1 && a.input === a.kernel && a.before === 0,
  );
  if (isConstant(filter) && fromOnePixel) return fromPixel(b, dy, filter, g);
  if (!isConstant(filter) && turnsRound(b, g)) {
    return conv(b, dy, direct.turned(b, filter, 1), mirrored(g));
  }
  // For images of a few channels there is little to multiply, and tiles would be much to gather.
  if (
    !isConstant(filter) &&
    b.fixed &&
    undilated &&
    (g.inChannels >= direct.FEW_CHANNELS || tiled)
  ) {
    return fromChannelsLast(
      b,
      products(b, g).inputGradient(b, channelsLast(b, dy, g), filter, g),
      g,
    );
  }
  if (!isConstant(filter) && b.fixed && direct.windowsFit(g)) {
    return fromChannelsFirst(direct.sumWindows(b, channelsLast(b, dy, g), filter, g), g);
  }
  const weights = b.Transpose(filter, [3, 2, 0, 1]);
  return fromChannelsFirst(transposed(b, channelsFirst(b, dy, g), weights, g.axes), g);
}

/** TF.js lets conv2dTranspose have an input larger than its output asks for, and ignores the rest. */
function cropped(b: Builder, dy: View, g: Geometry): View {
  const shape = shapeOf(dy);
  const [h, w] = g.axes.map((a) => a.output) as [number, number];
  const wanted = g.channelsLast ? [g.batch, h, w, g.outChannels] : [g.batch, g.outChannels, h, w];
  if (wanted.every((d, i) => d === shape[i])) return dy;
  return view(
    b.Slice(
      dense(b, dy),
      wanted.map(() => 0),
      wanted,
    ),
  );
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

type Filtered = { x: View; filter: View };
type Convolve = (b: Builder, inputs: Filtered, attrs: ConvAttrs) => View;

const conv2D: Convolve = (b, { x, filter }, attrs) =>
  conv(b, x, dense(b, filter), geometry(shapeOf(x), shapeOf(filter), attrs));

/** [height, width, channels, multiplier] as ONNX has it: a group of filters for each channel. */
const groupedFilter = (b: Builder, filter: Value): Value => {
  const [h, w, channels, multiplier] = filter.shape as [number, number, number, number];
  return b.Reshape(b.Transpose(filter, [2, 3, 0, 1]), [channels * multiplier, 1, h, w]);
};

const depthwise: Convolve = (b, { x, filter }, attrs) => {
  const g = geometry(shapeOf(x), shapeOf(filter), attrs, true);
  const weights = groupedFilter(b, dense(b, filter));
  const y = convolution(b, channelsFirst(b, x, g), weights, g.axes, g.inChannels);
  return fromChannelsFirst(y, g);
};

interface Fused {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** A convolution, a bias and an activation in one kernel. */
const fused = (convolve: Convolve): Lowering =>
  lowerViews<Filtered & { bias: View; preluActivationWeights: View }, ConvAttrs & Fused>(
    (i, attrs, b) => {
      const y = convolve(b, i, attrs);
      const perm = y.perm ?? range(4);
      // A vector is one value a channel, whichever axis that is.
      const at = (v: View): Value => {
        const perChannel = attrs.dataFormat === 'NCHW' && shapeOf(v).length === 1;
        const laid = perChannel ? view(b.Reshape(v.value, [...v.value.shape, 1, 1])) : v;
        return laidOut(b, laid, perm);
      };
      const biased = i.bias ? b.Add(y.value, at(i.bias)) : y.value;
      const slopes = i.preluActivationWeights && at(i.preluActivationWeights);
      return view(activate(b, biased, attrs.activation, attrs.leakyreluAlpha, slopes), perm);
    },
  );

export const CONV: Table = {
  Conv2D: lowerViews<Filtered, ConvAttrs>((i, attrs, b) => conv2D(b, i, attrs)),
  FusedConv2D: fused(conv2D),
  DepthwiseConv2dNative: lowerViews<Filtered, ConvAttrs>((i, attrs, b) => depthwise(b, i, attrs)),
  FusedDepthwiseConv2D: fused(depthwise),
  /** The gradient for the input, which is also TF.js's transposed convolution. */
  Conv2DBackpropInput: lowerViews<{ dy: View; filter: View }, ConvAttrs & { inputShape: number[] }>(
    ({ dy, filter }, attrs, b) => {
      const g = geometry(attrs.inputShape, shapeOf(filter), attrs);
      return convTranspose(b, cropped(b, dy, g), dense(b, filter), g);
    },
  ),
  Conv2DBackpropFilter: lowerViews<{ x: View; dy: View }, ConvAttrs & { filterShape: number[] }>(
    ({ x, dy }, attrs, b) => {
      const g = geometry(shapeOf(x), attrs.filterShape, attrs);
      const [seen, slopes] = [channelsLast(b, x, g), channelsLast(b, dy, g)];
      return view(
        turnsRound(b, g)
          ? direct.turned(b, direct.filterGradient(b, slopes, seen, mirrored(g)), 1)
          : products(b, g).filterGradient(b, seen, slopes, g),
      );
    },
  ),
  DepthwiseConv2dNativeBackpropInput: lowerViews<
    { dy: View; filter: View },
    ConvAttrs & { inputShape: number[] }
  >(({ dy, filter }, attrs, b) => {
    const g = geometry(attrs.inputShape, shapeOf(filter), attrs, true);
    const weights = groupedFilter(b, dense(b, filter));
    return fromChannelsFirst(
      transposed(b, channelsFirst(b, dy, g), weights, g.axes, g.inChannels),
      g,
    );
  }),
  // Channels as groups and images as channels: each channel of x with its own of dy.
  DepthwiseConv2dNativeBackpropFilter: lowerViews<
    { x: View; dy: View },
    ConvAttrs & { filterShape: number[] }
  >(({ x, dy }, attrs, b) => {
    const g = geometry(shapeOf(x), attrs.filterShape, attrs, true);
    const [h, w] = g.axes;
    const byChannel = (v: View) => b.Transpose(channelsFirst(b, v, g), [1, 0, 2, 3]);
    const images = b.Reshape(byChannel(x), [1, g.inChannels * g.batch, h.input, w.input]);
    const y = filterConvolution(b, images, byChannel(dy), g.axes, g.inChannels);
    const [height, width, channels, multiplier] = attrs.filterShape as number[];
    const grouped = b.Reshape(y, [channels, multiplier, height, width] as number[]);
    return view(b.Transpose(grouped, [2, 3, 0, 1]));
  }),
};
