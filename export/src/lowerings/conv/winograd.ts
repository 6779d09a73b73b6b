/**
 * Convolutions by Winograd's algorithm (Winograd 1980; for networks Lavin & Gray 2016,
 * arXiv:1509.09308). Two neighbouring outputs of a filter of two taps,
 *
 *     y₀ = d₀g₀ + d₁g₁ and y₁ = d₁g₀ + d₂g₁,
 *
 * take three products instead of four: (d₀ − d₁)g₀, d₁(g₀ + g₁) and (d₂ − d₁)g₁. In two dimensions
 * nine stand for sixteen, and with channels each of the nine "points" is a product of matrices. Four
 * outputs of three taps take six products for twelve: 36 stand for 144.
 *
 * With a stride of s an image is s · s phases, each the pixels at one place of a stride; side by side
 * as channels they are an image for a convolution of stride 1. A kernel two strides wide has two taps,
 * one of three pixels at stride 1 has three.
 *
 * An image, a filter and a gradient are each brought to the points by a product with a constant
 * matrix, all their places at once, and the three convolutions of a training step are
 *
 *     y = A ((G w) ∘ (B x)), ∂L/∂x = Bᵀ ((G w) ∘ (Aᵀ ∂L/∂y)), ∂L/∂w = Gᵀ ((B x) ∘ (Aᵀ ∂L/∂y)),
 *
 * so that what one of them has computed serves the others.
 */
import type { Builder } from '../../graph/builder.js';
import { range, sizeOf, stridesOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/value.js';
import type { Axis, Geometry } from './geometry.js';
import { gatherOrZero } from './products.js';
import { type Form, form, type Rows } from './toom-cook.js';

/**
 * By the number of taps. The points decide the rounding: with ±0.7 and ±1.4 it is three times that of
 * two taps (2e-6 of the largest value, 128 channels), with ±1 and ±2, whose powers lie further apart,
 * thirteen times.
 */
const FORMS: Readonly<Record<number, Form>> = {
  2: form([0, 1, Infinity], 2, 2),
  3: form([0, 0.7, -0.7, 1.4, -1.4, Infinity], 3, 4),
};

const tapsOf = (a: Axis): number => a.kernel / a.stride;

/** The form for these axes; undefined if there is none. */
const formFor = ({ axes: [h, w] }: Geometry): Form | undefined =>
  h.dilation === 1 && w.dilation === 1 && tapsOf(h) === tapsOf(w) ? FORMS[tapsOf(h)] : undefined;

/** The form for axes that have one. */
const formOf = (a: Axis): Form => FORMS[tapsOf(a)] as Form;

/**
 * Outputs along an axis whose tiles are computed by one constant matrix: a larger image is
 * divided into blocks. Otherwise the matrices, which grow with the square of what they see, would
 * cost the most.
 */
const BLOCK = 4;

const blocksOf = (a: Axis): number => Math.ceil(a.output / BLOCK);
const tilesOf = (a: Axis): number => Math.ceil(Math.min(a.output, BLOCK) / formOf(a).tile);
/** Outputs of a block; those of the last may lie outside. */
const placesOf = (a: Axis): number => tilesOf(a) * formOf(a).tile;
/** Strides of the image that a block sees; the last of them are the first of the next block. */
const stridesSeen = (a: Axis): number => placesOf(a) + formOf(a).taps - 1;

/** Sizes of both axes together; `inputs` are the channels of all phases, `images` all blocks. */
const sizes = ({ axes: [h, w], inChannels, batch }: Geometry) => ({
  points: formOf(h).ofTaps.length * formOf(w).ofTaps.length,
  images: batch * blocksOf(h) * blocksOf(w),
  tiles: tilesOf(h) * tilesOf(w),
  strides: stridesSeen(h) * stridesSeen(w),
  places: placesOf(h) * placesOf(w),
  inputs: h.stride * w.stride * inChannels,
});

/**
 * Largest share of the direct form's multiplications at which this form pays off: moving the data
 * costs as much as the last few per cent save. Steps with small layers took equally long either way
 * at 0.86 and 0.90.
 */
const LARGEST_SHARE = 0.85;

/**
 * Whether there are few enough multiplications, those by the constant matrices included. There are if
 * channels are many for the size of the images and of the batch.
 */
export function fewerProducts(g: Geometry): boolean {
  const used = formFor(g);
  if (!used) return false;
  const [h, w] = g.axes;
  const { points, images, tiles, strides, places, inputs } = sizes(g);
  const products = tiles * inputs * g.outChannels;
  const ofImage = tiles * (strides * inputs + places * g.outChannels);
  const ofFilter = h.kernel * w.kernel * inputs * g.outChannels;
  const direct = g.batch * h.output * w.output * used.taps ** 2 * inputs * g.outChannels;
  return points * (images * (products + ofImage) + ofFilter) < LARGEST_SHARE * direct;
}

/** The outer product of each row of `h` with each of `w`. */
const outer = (h: Rows, w: Rows): Rows =>
  h.flatMap((a) => w.map((b) => a.flatMap((x) => b.map((y) => x * y))));

/**
 * A constant matrix whose rows are (point of h, point of w, part of h, part of w): the points go
 * first, as each has a product of its own. @param rowsOf the row of each point along an axis
 * @param partsOf the rows of one point along one axis
 */
function matrix(
  b: Builder,
  g: Geometry,
  rowsOf: (form: Form) => Rows,
  partsOf: (a: Axis, row: readonly number[]) => Rows,
) {
  const [h, w] = g.axes;
  const rows = rowsOf(formOf(h)).flatMap((i) =>
    rowsOf(formOf(w)).flatMap((j) => outer(partsOf(h, i), partsOf(w, j))),
  );
  const columns = (rows[0] as readonly number[]).length;
  return b.constant(Float32Array.from(rows.flat()), [rows.length, columns], 'float32');
}

/** The row of each tile: `row` where the tile is, zeros elsewhere. */
const perTile = (a: Axis, row: readonly number[], places: number): Rows =>
  range(tilesOf(a)).map((tile) => range(places).map((at) => row[at - tile * formOf(a).tile] ?? 0));

/** B: [points · tiles, strides of the image]. */
const inputMatrix = (b: Builder, g: Geometry): Value =>
  matrix(
    b,
    g,
    (f) => f.ofInputs,
    (a, row) => perTile(a, row, stridesSeen(a)),
  );

/** Aᵀ: [points · tiles, places of the output]. */
const outputMatrix = (b: Builder, g: Geometry): Value =>
  matrix(
    b,
    g,
    (f) => f.ofOutputs,
    (a, row) => perTile(a, row, placesOf(a)),
  );

/** G: [points · phases, pixels of the filter]. */
const filterMatrix = (b: Builder, g: Geometry): Value =>
  matrix(
    b,
    g,
    (f) => f.ofTaps,
    (a, row) =>
      range(a.stride).map((phase) =>
        row.flatMap((x) => range(a.stride).map((p) => (p === phase ? x : 0))),
      ),
  );

/**
 * Where in the images something is, −1 outside: rows (place of h, place of w, image, block of h, block
 * of w, part of h, part of w). @param at where along an axis
 */
function whereabouts(
  g: Geometry,
  size: (a: Axis) => { places: number; parts: number; length: number },
  at: (a: Axis, block: number, place: number, part: number) => number,
): number[] {
  const [h, w] = g.axes;
  const [down, across] = [size(h), size(w)];
  const blocks = [g.batch, blocksOf(h), blocksOf(w)];
  const shape = [down.places, across.places, ...blocks, down.parts, across.parts];
  const strides = stridesOf(shape);
  return range(sizeOf(shape)).map((row) => {
    const along = (k: number): number =>
      Math.floor(row / (strides[k] as number)) % (shape[k] as number);
    const y = at(h, along(3), along(0), along(5));
    const x = at(w, along(4), along(1), along(6));
    const inside = y >= 0 && y < down.length && x >= 0 && x < across.length;
    return inside ? (along(2) * down.length + y) * across.length + x : -1;
  });
}

/** The pixels of each stride: rows (stride, image and block, phase). */
const pixelsOfStrides = (g: Geometry): number[] =>
  whereabouts(
    g,
    (a) => ({ places: stridesSeen(a), parts: a.stride, length: a.input }),
    (a, block, stride, phase) => (block * BLOCK + stride) * a.stride + phase - a.before,
  );

/** The outputs of each block: rows (place, image and block). */
const outputsOfBlocks = (g: Geometry): number[] =>
  whereabouts(
    g,
    (a) => ({ places: placesOf(a), parts: 1, length: a.output }),
    (_, block, place) => block * BLOCK + place,
  );

/** Rows that are at the places of `table`, put where they belong; of those at one place, the sum. */
function putBack(b: Builder, rows: Value, table: readonly number[], length: number): Value {
  const at = Array.from({ length }, (): number[] => []);
  for (const [i, place] of table.entries()) if (place >= 0) (at[place] as number[]).push(i);
  const most = at.reduce((longest, from) => Math.max(longest, from.length), 0);
  const kth = (k: number): number[] => at.map((from) => from[k] ?? -1);
  return range(most)
    .map((k) => gatherOrZero(b, rows, kth(k), 0))
    .reduce(b.Add);
}

/** B x: [points, tiles · images, inputs] */
function imagePoints(b: Builder, x: Value, g: Geometry): Value {
  const { points: count, images, tiles, strides, inputs } = sizes(g);
  const pixels = b.Reshape(x, [g.batch * g.axes[0].input * g.axes[1].input, g.inChannels]);
  const gathered = gatherOrZero(b, pixels, pixelsOfStrides(g), 0);
  const points = b.MatMul(inputMatrix(b, g), b.Reshape(gathered, [strides, images * inputs]));
  return b.Reshape(points, [count, tiles * images, inputs]);
}

/** G w: [points, inputs, out] */
function filterPoints(b: Builder, filter: Value, g: Geometry): Value {
  const G = filterMatrix(b, g);
  const pixels = b.Reshape(filter, [G.shape[1] as number, g.inChannels * g.outChannels]);
  const { points, inputs } = sizes(g);
  return b.Reshape(b.MatMul(G, pixels), [points, inputs, g.outChannels]);
}

/** Aᵀ ∂L/∂y: [points, tiles · images, out] */
function gradientPoints(b: Builder, dy: Value, g: Geometry): Value {
  const { points: count, images, tiles, places } = sizes(g);
  const rows = b.Reshape(dy, [g.batch * g.axes[0].output * g.axes[1].output, g.outChannels]);
  const gathered = gatherOrZero(b, rows, outputsOfBlocks(g), 0);
  const points = b.MatMul(
    outputMatrix(b, g),
    b.Reshape(gathered, [places, images * g.outChannels]),
  );
  return b.Reshape(points, [count, tiles * images, g.outChannels]);
}

const transposed = (b: Builder, points: Value): Value => b.Transpose(points, [0, 2, 1]);

/** A constant matrix, transposed, with what has a row for each of its rows; rows of `width`. */
function fromPoints(b: Builder, constant: Value, points: Value, width: number): Value {
  const [rows, places] = constant.shape as [number, number];
  const columns = sizeOf(points.shape) / rows;
  const y = b.MatMul(b.Transpose(constant, [1, 0]), b.Reshape(points, [rows, columns]));
  return b.Reshape(y, [(places * columns) / width, width]);
}

/** The forward pass; this and the two gradients below have the signatures of those in products.ts. */
export function convolve(b: Builder, x: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const points = b.MatMul(imagePoints(b, x, g), filterPoints(b, filter, g));
  const rows = fromPoints(b, outputMatrix(b, g), points, g.outChannels);
  const y = putBack(b, rows, outputsOfBlocks(g), g.batch * h.output * w.output);
  return b.Reshape(y, [g.batch, h.output, w.output, g.outChannels]);
}

export function inputGradient(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const points = b.MatMul(gradientPoints(b, dy, g), transposed(b, filterPoints(b, filter, g)));
  const rows = fromPoints(b, inputMatrix(b, g), points, g.inChannels);
  const image = putBack(b, rows, pixelsOfStrides(g), g.batch * h.input * w.input);
  return b.Reshape(image, [g.batch, h.input, w.input, g.inChannels]);
}

export function filterGradient(b: Builder, x: Value, dy: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const points = b.MatMul(transposed(b, imagePoints(b, x, g)), gradientPoints(b, dy, g));
  const pixels = fromPoints(b, filterMatrix(b, g), points, g.outChannels);
  return b.Reshape(pixels, [h.kernel, w.kernel, g.inChannels, g.outChannels]);
}
