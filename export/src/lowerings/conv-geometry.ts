import * as tf from '@tensorflow/tfjs-core';

/** One spatial axis of a convolution: sizes, stride, and zeros in front and behind. */
export interface Axis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  /** As many as the last window reaches past the input; fewer than TF.js says when rows are unused. */
  readonly after: number;
}

export interface Geometry {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly channelsLast: boolean;
  /** Height, then width. */
  readonly axes: readonly [Axis, Axis];
}

/** The attributes of TF.js's convolution kernels and of their gradients. */
export interface ConvAttrs {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** @param inShape of the convolution's input, @param filterShape [height, width, in, out] */
export function geometry(
  inShape: readonly number[],
  filterShape: readonly number[],
  attrs: ConvAttrs,
  depthwise = false,
): Geometry {
  const info = tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
    tf.backend_util.convertConv2DDataFormat(attrs.dataFormat ?? 'NHWC'),
  );
  const axis = (
    input: number,
    output: number,
    kernel: number,
    stride: number,
    dilation: number,
    before: number,
  ): Axis => {
    const reach = (output - 1) * stride + (kernel - 1) * dilation + 1;
    return { input, output, kernel, stride, dilation, before, after: reach - input - before };
  };
  const { padInfo: p } = info;
  return {
    batch: info.batchSize,
    inChannels: info.inChannels,
    outChannels: info.outChannels,
    channelsLast: info.dataFormat === 'channelsLast',
    axes: [
      axis(
        info.inHeight,
        info.outHeight,
        info.filterHeight,
        info.strideHeight,
        info.dilationHeight,
        p.top,
      ),
      axis(
        info.inWidth,
        info.outWidth,
        info.filterWidth,
        info.strideWidth,
        info.dilationWidth,
        p.left,
      ),
    ],
  };
}

/**
 * A convolution seen from its input, for the gradient and for transposed convolution: the input places
 * i = q·stride + phase of one phase are reached by the taps k ≡ phase + before (mod stride) alone.
 * `taps` lists those k; `places[q]` the outputs that reach place q through them, −1 outside.
 * Needs a kernel that is a multiple of the stride and no dilation.
 */
export function phaseTaps(a: Axis, phase: number): { taps: number[]; places: number[][] } {
  const first = (phase + a.before) % a.stride;
  const taps = Array.from({ length: a.kernel / a.stride }, (_, t) => first + t * a.stride);
  const places = Array.from({ length: Math.ceil(a.input / a.stride) }, (_, q) =>
    taps.map((k) => {
      const o = (q * a.stride + phase + a.before - k) / a.stride;
      return o >= 0 && o < a.output ? o : -1;
    }),
  );
  return { taps, places };
}
