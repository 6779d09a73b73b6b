import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { range } from '../shapes.js';
import { type Geometry, phaseTaps } from './conv-geometry.js';

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
  // A window that is the whole image: a dense layer in disguise.
  if (rows === g.batch && g.axes.every((a) => a.kernel === a.input && a.before === 0)) {
    return b.Reshape(x, [rows, columns]);
  }
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
  return b.Reshape(b.Gather(blocks, table(b, indices), 1), [rows, columns]);
}

/** Gathers along an axis; the index −1 gives zeros. */
function gatherOrZero(b: Builder, x: Value, indices: readonly number[], axis: number): Value {
  const size = x.shape[axis] as number;
  if (indices.length === size && indices.every((index, i) => index === i)) return x;
  if (!indices.includes(-1)) return b.Gather(x, table(b, indices), axis);
  const pads = x.shape.map((_, i): [number, number] => [0, i === axis ? 1 : 0]);
  const zeroAtEnd = indices.map((i) => (i < 0 ? size : i));
  return b.Gather(b.Pad(x, pads), table(b, zeroAtEnd), axis);
}

const table = (b: Builder, indices: readonly number[]): Value =>
  b.constant(Int32Array.from(indices), [indices.length], 'int32');

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

const filterMatrix = (b: Builder, filter: Value, g: Geometry): Value =>
  b.Reshape(filter, [g.axes[0].kernel * g.axes[1].kernel * g.inChannels, g.outChannels]);

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

/**
 * ∂L/∂x, and the forward pass of a transposed convolution. Needs kernels that are multiples of the
 * stride (`convTranspose` falls back on ONNX's operator otherwise).
 */
export function inputGradient(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const whole = g.axes.every((a) => a.output === 1 && a.before === 0 && a.after === 0);
  const tiled = g.axes.every((a) => a.kernel === a.stride);
  return whole || tiled ? scatterTiles(b, dy, filter, g) : gatherPhases(b, dy, filter, g);
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
 * Windows overlap: the places of one phase (row and column modulo the stride) are all reached by
 * the same taps, so each phase is a product of its own, and the phases are one batch of products.
 */
function gatherPhases(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const pixels = h.output * w.output;
  const phases = range(h.stride).flatMap((py) =>
    range(w.stride).map((px) => [phaseTaps(h, py), phaseTaps(w, px)] as const),
  );
  const [qh, qw] = [Math.ceil(h.input / h.stride), Math.ceil(w.input / w.stride)];
  const indices = phases.flatMap(([y, x]) => {
    const ofImage = y.places.flatMap((oy) =>
      x.places.flatMap((ox) =>
        oy.flatMap((r) => ox.map((c) => (r < 0 || c < 0 ? -1 : r * w.output + c))),
      ),
    );
    return range(g.batch).flatMap((n) => ofImage.map((i) => (i < 0 ? -1 : n * pixels + i)));
  });
  const taps = (h.kernel / h.stride) * (w.kernel / w.stride);
  const rows = b.Reshape(dy, [g.batch * pixels, g.outChannels]);
  const gathered = b.Reshape(gatherOrZero(b, rows, indices, 0), [
    phases.length,
    g.batch * qh * qw,
    taps * g.outChannels,
  ]);
  // The filter's taps in the same order: [phase, tap · out, in].
  const tapIndices = phases.flatMap(([y, x]) =>
    y.taps.flatMap((ky) => x.taps.map((kx) => ky * w.kernel + kx)),
  );
  const tapRows = b.Reshape(filter, [h.kernel * w.kernel, g.inChannels, g.outChannels]);
  const byPhase = b.Transpose(gatherOrZero(b, tapRows, tapIndices, 0), [0, 2, 1]);
  const weights = b.Reshape(byPhase, [phases.length, taps * g.outChannels, g.inChannels]);
  const image = b.Reshape(b.MatMul(gathered, weights), [
    h.stride,
    w.stride,
    g.batch,
    qh,
    qw,
    g.inChannels,
  ]);
  const interleaved = b.Reshape(b.Transpose(image, [2, 3, 0, 4, 1, 5]), [
    g.batch,
    qh * h.stride,
    qw * w.stride,
    g.inChannels,
  ]);
  return b.Slice(interleaved, [0, 0, 0, 0], [g.batch, h.input, w.input, g.inChannels]);
}
