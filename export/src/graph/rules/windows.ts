import { sizeOf } from '../shapes.js';
import {
  ANY,
  type Call,
  each,
  integersAt,
  listOf,
  mustEqual,
  numberOf,
  type Rule,
  type Rules,
  type Shape,
  shapeAt,
} from './rule.js';

/** How a window moves along one axis of an image; `pads` are both sides together. */
interface Window {
  readonly kernel: number;
  readonly stride: number;
  /** From the first to the last element that the window touches. */
  readonly span: number;
  readonly pads: number;
  /** Whether there is a window at each stride, with as much padding as that takes. */
  readonly same: boolean;
}

function windowsOf(call: Call, kernels: Shape): readonly Window[] {
  const ones = kernels.map(() => 1);
  const strides = listOf(call, 'strides') ?? ones;
  const dilations = listOf(call, 'dilations') ?? ones;
  const same = call.attrs.auto_pad === 'SAME_UPPER';
  const pads = listOf(call, 'pads') ?? [...ones, ...ones].map(() => 0);
  return kernels.map((kernel, i) => ({
    kernel,
    stride: strides[i] as number,
    span: (dilations[i] as number) * (kernel - 1) + 1,
    pads: (pads[i] as number) + (pads[i + kernels.length] as number),
    same,
  }));
}

/** At how many places each window stands on an image of these sizes. */
const places = (sizes: Shape, windows: readonly Window[]): Shape =>
  windows.map(({ stride, span, pads, same }, i) =>
    same
      ? Math.ceil((sizes[i] as number) / stride)
      : Math.max(0, Math.floor(((sizes[i] as number) + pads - span) / stride) + 1),
  );

const conv: Rule = (call) => {
  const [[n, channels, ...sizes], [out, perGroup, ...taps]] = [
    shapeAt(call, 0) as [number, number, ...number[]],
    shapeAt(call, 1) as [number, number, ...number[]],
  ];
  const kernels = listOf(call, 'kernel_shape') ?? taps;
  mustEqual('the kernel', kernels, taps);
  mustEqual("the image's channels", [channels], [perGroup * numberOf(call, 'group', 1)]);
  if (call.shapes[2]) mustEqual('the bias', shapeAt(call, 2), [out]);
  return [[n, out, ...places(sizes, windowsOf(call, kernels))]];
};

const convTranspose: Rule = (call) => {
  const [[n, channels, ...sizes], [from, perGroup, ...taps]] = [
    shapeAt(call, 0) as [number, number, ...number[]],
    shapeAt(call, 1) as [number, number, ...number[]],
  ];
  const kernels = listOf(call, 'kernel_shape') ?? taps;
  const extra = listOf(call, 'output_padding') ?? taps.map(() => 0);
  const out = perGroup * numberOf(call, 'group', 1);
  mustEqual('the kernel', kernels, taps);
  mustEqual("the image's channels", [channels], [from]);
  if (call.shapes[2]) mustEqual('the bias', shapeAt(call, 2), [out]);
  const enlarged = windowsOf(call, kernels).map(
    ({ stride, span, pads }, i) =>
      stride * ((sizes[i] as number) - 1) + (extra[i] as number) + span - pads,
  );
  return [[n, out, ...enlarged]];
};

const pool: Rule = (call) => {
  const [n, channels, ...sizes] = shapeAt(call, 0) as [number, number, ...number[]];
  const kernels = listOf(call, 'kernel_shape') ?? [];
  mustEqual('the number of axes of the kernel', [kernels.length], [sizes.length]);
  const shape = [n, channels, ...places(sizes, windowsOf(call, kernels))];
  // The second result, if it is asked for: where each largest element was.
  return [shape, shape];
};

const col2Im: Rule = (call) => {
  const [n, rows, columns] = shapeAt(call, 0) as [number, number, number];
  const [image, kernels] = [integersAt(call, 1), integersAt(call, 2)];
  const standing = places(image, windowsOf(call, kernels));
  mustEqual('the number of windows', [columns], [sizeOf(standing)]);
  return [[n, rows / sizeOf(kernels), ...image]];
};

const resize: Rule = (call) => {
  const sizes = integersAt(call, 3);
  mustEqual('the number of sizes', [sizes.length], [shapeAt(call, 0).length]);
  return [sizes];
};

/** How many boxes are kept depends on their values. */
const nonMaxSuppression: Rule = (call) => {
  const [[batch, boxes, corners], scores] = [shapeAt(call, 0), shapeAt(call, 1)];
  mustEqual('the corners of a box', [corners as number], [4]);
  mustEqual('the scores', [scores[0], scores[2]] as number[], [batch, boxes] as number[]);
  return [[ANY, 3]];
};

/** Operators on images: [batch, channels, height, width], or more axes. */
export const WINDOWS: Rules = {
  Conv: conv,
  ConvTranspose: convTranspose,
  ...each(['MaxPool', 'AveragePool'], pool),
  Col2Im: col2Im,
  Resize: resize,
  NonMaxSuppression: nonMaxSuppression,
};
