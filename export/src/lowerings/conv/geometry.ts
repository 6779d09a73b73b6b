import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../../graph/builder.js';
import type { Attrs } from '../../graph/value.js';

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
  /** Whether there are as many zeros as give a window to each stride: the number depends on the input. */
  readonly same: boolean;
}

/**
 * How much padding windows have, as attributes of ONNX. Where a size besides the batch is free, the engine
 * computes that of strided windows from the size that it is given.
 */
export function paddingOf(b: Builder, batch: number, axes: readonly Axis[]): Attrs {
  const strided = axes.some((a) => a.same && a.stride > 1);
  if (strided && b.freeSizes.some((size) => batch % size !== 0)) return { auto_pad: 'SAME_UPPER' };
  return padsOf(axes);
}

/** Padding in numbers: in front along each axis, then behind. */
export const padsOf = (axes: readonly Axis[]): { readonly pads: number[] } => ({
  pads: [...axes.map((a) => a.before), ...axes.map((a) => Math.max(0, a.after))],
});

export interface Geometry<Axes extends readonly Axis[] = readonly [Axis, Axis]> {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly channelsLast: boolean;
  /** Depth, if there are three, height, width. */
  readonly axes: Axes;
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
  return { ...common(info), axes: [axis(info, 'Height'), axis(info, 'Width')] };
}

type Info = tf.backend_util.Conv2DInfo | tf.backend_util.Conv3DInfo;

const common = (info: Info): Omit<Geometry, 'axes'> => ({
  batch: info.batchSize,
  inChannels: info.inChannels,
  outChannels: info.outChannels,
  channelsLast: info.dataFormat === 'channelsLast',
});

/** One axis of what TF.js computes of a convolution or a pool: `inHeight`, `strideHeight`, …. */
function axis(info: Info, name: 'Depth' | 'Height' | 'Width'): Axis {
  const of = (what: string): number =>
    (info as unknown as Record<string, number>)[`${what}${name}`] as number;
  const padding = info.padInfo as unknown as Record<string, number>;
  const same = info.padInfo.type === 'SAME';
  const before = padding[{ Depth: 'front', Height: 'top', Width: 'left' }[name]] as number;
  const [input, output, kernel] = [of('in'), of('out'), of('filter')];
  const [stride, dilation] = [of('stride'), of('dilation')];
  const reach = (output - 1) * stride + (kernel - 1) * dilation + 1;
  return { input, output, kernel, stride, dilation, before, after: reach - input - before, same };
}

type Volume = readonly [Axis, Axis, Axis];

const volume = (info: tf.backend_util.Conv3DInfo): Volume => [
  axis(info, 'Depth'),
  axis(info, 'Height'),
  axis(info, 'Width'),
];

export interface Conv3DAttrs {
  readonly strides: number | [number, number, number];
  readonly pad: 'valid' | 'same';
  readonly dilations?: number | [number, number, number];
}

/** @param filterShape [depth, height, width, in, out] */
export function geometry3D(
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, dilations, pad }: Conv3DAttrs,
): Geometry<Volume> {
  type Shape5 = [number, number, number, number, number];
  const info = tf.backend_util.computeConv3DInfo(
    inShape as Shape5,
    filterShape as Shape5,
    strides,
    dilations ?? 1,
    pad,
  );
  return { ...common(info), axes: volume(info) };
}

/** The attributes of TF.js's pools and of their gradients; two sizes or three. */
export interface PoolAttrs {
  readonly filterSize: number | number[];
  readonly strides: number | number[];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW';
}

/** @param inShape of rank 4 or 5 */
export function poolGeometry(
  inShape: readonly number[],
  { filterSize, strides, pad, dimRoundingMode, dataFormat }: PoolAttrs,
): Geometry<readonly Axis[]> {
  if (inShape.length === 5) {
    const info = tf.backend_util.computePool3DInfo(
      inShape as [number, number, number, number, number],
      filterSize as [number, number, number],
      strides as [number, number, number],
      1,
      pad as 'valid' | 'same' | number,
      dimRoundingMode,
      dataFormat as 'NDHWC' | 'NCDHW' | undefined,
    );
    return { ...common(info), axes: volume(info) };
  }
  const info = tf.backend_util.computePool2DInfo(
    inShape as [number, number, number, number],
    filterSize as [number, number],
    strides as [number, number],
    1,
    pad,
    dimRoundingMode,
    tf.backend_util.convertConv2DDataFormat((dataFormat ?? 'NHWC') as 'NHWC' | 'NCHW'),
  );
  return { ...common(info), axes: [axis(info, 'Height'), axis(info, 'Width')] };
}

/**
 * A convolution seen from its input, for the gradient and for transposed convolution. Along an axis a
 * window is tiles of one stride each; these are the taps of tile `i`, fewer in the last one.
 */
export const tapsOf = (a: Axis, i: number): number[] =>
  Array.from({ length: Math.min(a.stride, a.kernel - i * a.stride) }, (_, t) => i * a.stride + t);

/** The output place whose window has input place `at` in its tile `i`, or −1. */
export function placeOf(a: Axis, at: number, i: number): number {
  const place = Math.floor((at + a.before) / a.stride) - i;
  const isTap = ((at + a.before) % a.stride) + i * a.stride < a.kernel;
  return isTap && place >= 0 && place < a.output ? place : -1;
}

/**
 * At stride 1 the gradient for the input is a convolution, too: of dy, by the turned filter. This is
 * how that one lies.
 */
export function mirrored(g: Geometry): Geometry {
  const back = (a: Axis): Axis => ({
    ...a,
    input: a.output,
    output: a.input,
    before: a.kernel - 1 - a.before,
    after: a.kernel - 1 - a.after,
  });
  const [h, w] = g.axes;
  return {
    ...g,
    inChannels: g.outChannels,
    outChannels: g.inChannels,
    axes: [back(h), back(w)],
  };
}
