import type { Builder } from '../../graph/builder.js';
import { sizeOf } from '../../graph/shapes.js';
import { isConstant, type Value } from '../../graph/value.js';
import { CHANNELS_FIRST, dense, laidOut, shapeOf, type View, view } from '../../graph/view.js';
import { lowerViews, type Table } from '../table.js';
import { type ConvAttrs, type Geometry, geometry, mirrored } from './geometry.js';
import { convolution, filterConvolution, transposed } from './nd.js';
import { gatherOrZero, pixelsOfWindows, turned } from './products.js';
import * as winograd from './winograd.js';

/**
 * Convolutions in groups, which TF.js has no kernel of: `groupedConv2d` of @gpn/models asks for these
 * by name. Images are channels-last, filters [height, width, in / groups, groups · out], and output
 * channel o belongs to group ⌊o / out⌋.
 *
 * A constant filter makes ONNX's Conv with `group`. A computed one, as in a training step, makes a batch
 * of products of matrices, one for each group: see winograd.ts for kernels that have a form there, and
 * products.ts.
 */
interface Attrs extends ConvAttrs {
  readonly groups: number;
}

/** How many channels a group takes and gives. */
const channelsOf = (g: Geometry, groups: number): [number, number] => [
  g.inChannels / groups,
  g.outChannels / groups,
];

/** Rows of all channels, [rows, groups · c], as [groups, rows, c]; and back. */
const apart = (b: Builder, x: Value, groups: number): Value => {
  const channels = x.shape.at(-1) as number;
  const rows = sizeOf(x.shape) / channels;
  return b.Transpose(b.Reshape(x, [rows, groups, channels / groups]), [1, 0, 2]);
};
const together = (b: Builder, x: Value, shape: readonly number[]): Value =>
  b.Reshape(b.Transpose(x, [1, 0, 2]), shape);

/** The windows of each group: [groups, places, taps · in]. */
function windows(b: Builder, x: Value, g: Geometry, groups: number): Value {
  const [h, w] = g.axes;
  const rows = g.batch * h.output * w.output;
  const columns = (h.kernel * w.kernel * g.inChannels) / groups;
  const pixels = gatherOrZero(b, apart(b, x, groups), pixelsOfWindows(g), 1);
  return b.Reshape(pixels, [groups, rows, columns]);
}

function convolve(b: Builder, x: Value, filter: Value, g: Geometry, groups: number): Value {
  const [h, w] = g.axes;
  const y = b.MatMul(windows(b, x, g, groups), apart(b, filter, groups));
  return together(b, y, [g.batch, h.output, w.output, g.outChannels]);
}

const inputGradient = (b: Builder, dy: Value, filter: Value, g: Geometry, groups: number): Value =>
  convolve(b, dy, turned(b, filter, groups), mirrored(g), groups);

function filterGradient(b: Builder, x: Value, dy: Value, g: Geometry, groups: number): Value {
  const [ins] = channelsOf(g, groups);
  const [h, w] = g.axes;
  const seen = b.Transpose(windows(b, x, g, groups), [0, 2, 1]);
  const gradient = b.MatMul(seen, apart(b, dy, groups));
  return together(b, gradient, [h.kernel, w.kernel, ins, g.outChannels]);
}

/** Windows take nine times the room of their images, so for groups of few channels tiles are quicker. */
const products = (g: Geometry) =>
  winograd.hasForm(g) ? winograd : { convolve, inputGradient, filterGradient };

const channelsFirst = (b: Builder, x: View): Value => laidOut(b, x, CHANNELS_FIRST);
/** The filter as ONNX has it: [groups · out, in, height, width]. */
const weightsOf = (b: Builder, filter: View): Value => b.Transpose(dense(b, filter), [3, 2, 0, 1]);

/** Whether the sizes are those of products: all known, and every window a place of the image. */
const multiplies = (b: Builder, g: Geometry): boolean =>
  b.fixed && g.axes.every((a) => a.stride === 1 && a.dilation === 1);

export const GROUPED_CONV: Table = {
  GroupedConv2D: lowerViews<{ x: View; filter: View }, Attrs>(({ x, filter }, attrs, b) => {
    const g = geometry(shapeOf(x), shapeOf(filter), attrs);
    if (!isConstant(filter.value) && multiplies(b, g)) {
      return view(products(g).convolve(b, dense(b, x), dense(b, filter), g, attrs.groups));
    }
    const y = convolution(b, channelsFirst(b, x), weightsOf(b, filter), g.axes, attrs.groups);
    return view(y, CHANNELS_FIRST);
  }),
  GroupedConv2DBackpropInput: lowerViews<
    { dy: View; filter: View },
    Attrs & { inputShape: number[] }
  >(({ dy, filter }, attrs, b) => {
    const g = geometry(attrs.inputShape, shapeOf(filter), attrs);
    if (!isConstant(filter.value) && multiplies(b, g)) {
      return view(products(g).inputGradient(b, dense(b, dy), dense(b, filter), g, attrs.groups));
    }
    const dx = transposed(b, channelsFirst(b, dy), weightsOf(b, filter), g.axes, attrs.groups);
    return view(dx, CHANNELS_FIRST);
  }),
  GroupedConv2DBackpropFilter: lowerViews<{ x: View; dy: View }, Attrs & { filterShape: number[] }>(
    ({ x, dy }, attrs, b) => {
      const { groups } = attrs;
      const g = geometry(shapeOf(x), attrs.filterShape, attrs);
      if (multiplies(b, g)) {
        return view(products(g).filterGradient(b, dense(b, x), dense(b, dy), g, groups));
      }
      const [ins] = channelsOf(g, groups);
      const [h, w] = g.axes;
      // Each group is an image of its channels' batches: see `filterConvolution`.
      const byGroup = b.Reshape(channelsFirst(b, x), [g.batch, groups, ins, h.input, w.input]);
      const images = b.Reshape(b.Transpose(byGroup, [2, 1, 0, 3, 4]), [
        ...[ins, groups * g.batch],
        ...[h.input, w.input],
      ]);
      const slopes = b.Transpose(channelsFirst(b, dy), [1, 0, 2, 3]);
      const taps = filterConvolution(b, images, slopes, g.axes, groups);
      return view(b.Transpose(taps, [2, 3, 0, 1]));
    },
  ),
};
