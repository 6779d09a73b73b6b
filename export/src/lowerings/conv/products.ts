import type { Builder } from '../../graph/builder.js';
import { range, sizeOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/value.js';
import { type Axis, type Geometry, padsOf, placeOf, tapsOf } from './geometry.js';

/**
 * Convolutions of channels-last images as gathers and products of matrices over the whole batch.
 * In a training step the filters are computed, so onnxruntime's Conv can prepack nothing and goes
 * image by image; one large product runs nearer to the machine's peak, channels-last needs no
 * transposition, and the gathered windows serve the forward pass and the filter's gradient both.
 *
 * Filters are TF.js's [height, width, in, out], which is the matrix [taps · in, out] as it lies.
 */

/** The windows of the images as a matrix: a row an output place, columns (tap, channel). */
function windows(b: Builder, x: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const rows = g.batch * h.output * w.output;
  const columns = h.kernel * w.kernel * g.inChannels;
  // A window that is the whole image makes a fully connected layer.
  if (rows === g.batch && g.axes.every((a) => a.kernel === a.input && a.before === 0)) {
    return b.Reshape(x, [rows, columns]);
  }
  const pixels = b.fixed && g.inChannels >= FEW_CHANNELS;
  const gathered = pixels ? gatherPixels(b, x, g) : gatherBlocks(b, x, g);
  return b.Reshape(gathered, [rows, columns]);
}

/**
 * For every place of every window, which pixel of the batch it sees; −1 outside. Rows (image, place of
 * the window, tap).
 */
export function pixelsOfWindows({ axes: [h, w], batch }: Geometry): number[] {
  const inside = (a: Axis, place: number, tap: number): number => {
    const at = place * a.stride + tap - a.before;
    return at >= 0 && at < a.input ? at : -1;
  };
  const ofImage = range(h.output).flatMap((oy) =>
    range(w.output).flatMap((ox) =>
      range(h.kernel).flatMap((ky) =>
        range(w.kernel).map((kx) => {
          const [y, x] = [inside(h, oy, ky), inside(w, ox, kx)];
          return y < 0 || x < 0 ? -1 : y * w.input + x;
        }),
      ),
    ),
  );
  return perImage(ofImage, batch, h.input * w.input);
}

/** The pixels of the whole batch and one of zeros, for windows that reach outside: no padding is needed. */
function gatherPixels(b: Builder, x: Value, g: Geometry): Value {
  const pixels = g.batch * g.axes[0].input * g.axes[1].input;
  const flat = b.Reshape(x, [pixels, g.inChannels]);
  return gatherOrZero(b, flat, pixelsOfWindows(g), 0);
}

/** Few channels make short pixels, so those that are side by side in every window go together. */
function gatherBlocks(b: Builder, x: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  // Windows begin at multiples of the stride, so pixels go in blocks that fit stride and kernel.
  const block = greatestCommonDivisor(w.stride, w.kernel);
  const height = Math.max(h.input, h.input + h.after) + h.before;
  const width = Math.ceil((Math.max(w.input, w.input + w.after) + w.before) / block) * block;
  const padded = b.Pad(x, [
    [0, 0],
    [h.before, height - h.before - h.input],
    [w.before, width - w.before - w.input],
    [0, 0],
  ]);
  const perRow = width / block;
  const indices = range(h.output).flatMap((oy) =>
    range(w.output).flatMap((ox) =>
      range(h.kernel).flatMap((ky) =>
        range(w.kernel / block).map(
          (kx) => (oy * h.stride + ky) * perRow + (ox * w.stride) / block + kx,
        ),
      ),
    ),
  );
  const blocks = b.Reshape(padded, [g.batch, height * perRow, block * g.inChannels]);
  return b.Gather(blocks, table(b, indices), 1);
}

/** Row indices of one image, repeated for every image of `size` rows; −1 stays. */
const perImage = (ofImage: readonly number[], batch: number, size: number): number[] =>
  range(batch).flatMap((n) => ofImage.map((at) => (at < 0 ? -1 : n * size + at)));

/** Gathers along an axis; the index −1 gives zeros. */
export function gatherOrZero(
  b: Builder,
  x: Value,
  indices: readonly number[],
  axis: number,
): Value {
  const size = x.shape[axis] as number;
  if (indices.length === size && indices.every((index, i) => index === i)) return x;
  if (!indices.includes(-1)) return b.Gather(x, table(b, indices), axis);
  const zeroAtEnd = indices.map((i) => (i < 0 ? size : i));
  return b.Gather(withZeros(b, x, axis), table(b, zeroAtEnd), axis);
}

/** Zeros behind the last along an axis. A Concat: onnxruntime's Pad takes three times as long. */
function withZeros(b: Builder, x: Value, axis: number): Value {
  const shape = x.shape.map((d, i) => (i === axis ? 1 : d));
  return b.Concat([x, b.constant(new Float32Array(sizeOf(shape)), shape, 'float32')], axis);
}

const table = (b: Builder, indices: readonly number[]): Value =>
  b.constant(Int32Array.from(indices), [indices.length], 'int32');

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

const filterMatrix = (b: Builder, filter: Value, g: Geometry): Value =>
  b.Reshape(filter, [g.axes[0].kernel * g.axes[1].kernel * g.inChannels, g.outChannels]);

/**
 * The filter [height, width, in / groups, out] with its taps in reverse and its channels exchanged within
 * each group: [height, width, out / groups, in].
 */
export function turned(b: Builder, filter: Value, groups: number): Value {
  const [height, width, ins, out] = filter.shape as [number, number, number, number];
  const taps = range(height * width).reverse();
  const apart = b.Reshape(filter, [taps.length, ins, groups, out / groups]);
  const exchanged = b.Transpose(gatherOrZero(b, apart, taps, 0), [0, 3, 2, 1]);
  return b.Reshape(exchanged, [height, width, out / groups, groups * ins]);
}

/** Number of channels below which images are arranged differently. */
export const FEW_CHANNELS = 8;

export function convolve(b: Builder, x: Value, filter: Value, g: Geometry): Value {
  const y = b.MatMul(windows(b, x, g), filterMatrix(b, filter, g));
  return b.Reshape(y, [g.batch, g.axes[0].output, g.axes[1].output, g.outChannels]);
}

/** ∂L/∂filter = windowsᵀ · ∂L/∂y. */
export function filterGradient(b: Builder, x: Value, dy: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const rows = b.Reshape(dy, [g.batch * h.output * w.output, g.outChannels]);
  const gradient = b.Gemm(windows(b, x, g), rows, undefined, { transA: true });
  return b.Reshape(gradient, [h.kernel, w.kernel, g.inChannels, g.outChannels]);
}

/** ∂L/∂x, and the forward pass of a transposed convolution. */
export function inputGradient(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const whole = g.axes.every((a) => a.output === 1 && a.before === 0 && a.after === 0);
  const tiled = g.axes.every((a) => a.kernel === a.stride);
  return whole || tiled ? scatterTiles(b, dy, filter, g) : sumTiles(b, dy, filter, g);
}

/** Windows do not overlap: each place of dy makes its own tile of the image. */
function scatterTiles(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const rows = b.Reshape(dy, [g.batch * h.output * w.output, g.outChannels]);
  const tiles = b.Gemm(rows, filterMatrix(b, filter, g), undefined, { transB: true });
  // A row of a tile goes in one piece, unless the image's edge runs through it.
  const whole = w.before === 0 && w.input === w.output * w.kernel;
  const block = whole ? w.kernel : 1;
  const perTile = h.kernel * (w.kernel / block);
  const indices = range(h.input).flatMap((y) =>
    range(w.input / block).map((i) => {
      const [py, px] = [y + h.before, i * block + w.before];
      const [oy, ox] = [Math.floor(py / h.kernel), Math.floor(px / w.kernel)];
      // Rows and columns behind the last window are reached by none.
      if (oy >= h.output || ox >= w.output) return -1;
      const inTile = ((py % h.kernel) * w.kernel + (px % w.kernel)) / block;
      return (oy * w.output + ox) * perTile + inTile;
    }),
  );
  const pieces = b.Reshape(tiles, [g.batch, h.output * w.output * perTile, block * g.inChannels]);
  const image = gatherOrZero(b, pieces, indices, 1);
  return b.Reshape(image, [g.batch, h.input, w.input, g.inChannels]);
}

/**
 * Windows overlap. In tiles of one stride by one stride a window is ⌈kernel / stride⌉ tiles along
 * each axis, and a place of the image is in one first tile, in one second tile and so on: each kind
 * of tile is a product of its own, small enough to stay in the cache while it is arranged as an
 * image, and the images are added up.
 */
function sumTiles(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const places = h.output * w.output;
  // A row of zeros behind the others makes a tile of zeros, for the places that no window reaches.
  const rows = withZeros(b, b.Reshape(dy, [g.batch * places, g.outChannels]), 0);
  const tapRows = b.Reshape(filter, [h.kernel * w.kernel, g.inChannels, g.outChannels]);
  const images = range(Math.ceil(h.kernel / h.stride)).flatMap((i) =>
    range(Math.ceil(w.kernel / w.stride)).map((j) => {
      const [down, across] = [tapsOf(h, i), tapsOf(w, j)];
      const taps = down.flatMap((ky) => across.map((kx) => ky * w.kernel + kx));
      const ofTaps = [taps.length * g.inChannels, g.outChannels];
      const weights = b.Reshape(gatherOrZero(b, tapRows, taps, 0), ofTaps);
      const tiles = b.Gemm(rows, weights, undefined, { transB: true });
      const ofImage = range(h.input).flatMap((y) =>
        range(w.input).map((x) => {
          const [oy, ox] = [placeOf(h, y, i), placeOf(w, x, j)];
          const tap = ((y + h.before) % h.stride) * across.length + ((x + w.before) % w.stride);
          return oy < 0 || ox < 0 ? -1 : (oy * w.output + ox) * taps.length + tap;
        }),
      );
      const size = places * taps.length;
      const indices = perImage(ofImage, g.batch, size).map((at) => (at < 0 ? g.batch * size : at));
      const pieces = b.Reshape(tiles, [(g.batch * places + 1) * taps.length, g.inChannels]);
      return b.Gather(pieces, table(b, indices), 0);
    }),
  );
  return b.Reshape(images.reduce(b.Add), [g.batch, h.input, w.input, g.inChannels]);
}

/**
 * ∂L/∂x for images of few channels, channels first: what each window says of them is one product,
 * and ONNX's Col2Im adds it up. There are as many windows as fit: see `windowsFit`.
 */
export function sumWindows(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const [places, columns] = [h.output * w.output, g.inChannels * h.kernel * w.kernel];
  const rows = b.Reshape(dy, [g.batch, places, g.outChannels]);
  const weights = b.Reshape(b.Transpose(filter, [2, 0, 1, 3]), [columns, g.outChannels]);
  // onnxruntime transposes as it multiplies, which here is quicker than to transpose the product.
  const windows = b.MatMul(weights, b.Transpose(rows, [0, 2, 1]));
  const [image, kernel] = [b.ints([h.input, w.input]), b.ints([h.kernel, w.kernel])];
  const attrs = {
    strides: [h.stride, w.stride],
    dilations: [h.dilation, w.dilation],
    ...padsOf(g.axes),
  };
  const out = { shape: [g.batch, g.inChannels, h.input, w.input], dtype: dy.dtype };
  return b.op('Col2Im', [windows, image, kernel], attrs, out)[0] as Value;
}

/** Whether no further window would fit into the rows and columns that none reaches. */
export const windowsFit = (g: Geometry): boolean => g.axes.every((a) => -a.after < a.stride);
