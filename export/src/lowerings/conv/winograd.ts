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
import { type Axis, type Geometry, mirrored } from './geometry.js';
import { gatherOrZero, turned } from './products.js';
import { type Form, form, type Rows } from './toom-cook.js';

/**
 * By the number of taps. The points decide the rounding: the powers of ±0.7 and ±1.4 lie nearer to one
 * another than those of ±1 and ±2, which are usual, and lose fewer digits.
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

/**
 * Sizes of both axes together. `images` are all blocks; `inputs` and `outputs` are the channels of a
 * group, those of all phases. `lead` are the axes in front of what each group has of its own.
 */
function sizes({ axes: [h, w], inChannels, outChannels, batch }: Geometry, groups: number) {
  return {
    lead: groups > 1 ? [groups] : [],
    points: formOf(h).ofTaps.length * formOf(w).ofTaps.length,
    images: batch * blocksOf(h) * blocksOf(w),
    tiles: tilesOf(h) * tilesOf(w),
    strides: stridesSeen(h) * stridesSeen(w),
    places: placesOf(h) * placesOf(w),
    inputs: (h.stride * w.stride * inChannels) / groups,
    outputs: outChannels / groups,
  };
}

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
  const { points, images, tiles, strides, places, inputs, outputs } = sizes(g, 1);
  const products = tiles * inputs * outputs;
  const ofImage = tiles * (strides * inputs + places * outputs);
  const ofFilter = h.kernel * w.kernel * inputs * outputs;
  const direct = g.batch * h.output * w.output * used.taps ** 2 * inputs * outputs;
  return points * (images * (products + ofImage) + ofFilter) < LARGEST_SHARE * direct;
}

/** The outer product of each row of `h` with each of `w`. */
const outer = (h: Rows, w: Rows): Rows =>
  h.flatMap((a) => w.map((b) => a.flatMap((x) => b.map((y) => x * y))));

/**
 * A constant matrix over both axes, whose rows are (point of h, point of w, part of h, part of w): the
 * points go first, as each has a product of its own. For each axis, the rows of each point.
 */
type Matrix = readonly [h: readonly Rows[], w: readonly Rows[]];

/**
 * @param rowsOf the row of each point along an axis
 * @param partsOf the rows of one point along one axis
 */
const matrix = (
  { axes: [h, w] }: Geometry,
  rowsOf: (form: Form) => Rows,
  partsOf: (a: Axis, row: readonly number[]) => Rows,
): Matrix => {
  const along = (a: Axis): Rows[] => rowsOf(formOf(a)).map((row) => partsOf(a, row));
  return [along(h), along(w)];
};

/** The row of each tile: `row` where the tile is, zeros elsewhere. */
const perTile = (a: Axis, row: readonly number[], places: number): Rows =>
  range(tilesOf(a)).map((tile) => range(places).map((at) => row[at - tile * formOf(a).tile] ?? 0));

/** B: [points · tiles, strides of the image]. */
const inputMatrix = (g: Geometry): Matrix =>
  matrix(
    g,
    (f) => f.ofInputs,
    (a, row) => perTile(a, row, stridesSeen(a)),
  );

/** Aᵀ: [points · tiles, places of the output]. */
const outputMatrix = (g: Geometry): Matrix =>
  matrix(
    g,
    (f) => f.ofOutputs,
    (a, row) => perTile(a, row, placesOf(a)),
  );

/** G: [points · phases, pixels of the filter]. */
const filterMatrix = (g: Geometry): Matrix =>
  matrix(
    g,
    (f) => f.ofTaps,
    (a, row) =>
      range(a.stride).map((phase) =>
        row.flatMap((x) => range(a.stride).map((p) => (p === phase ? x : 0))),
      ),
  );

const turnedRound = (rows: Rows): Rows =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] as number));

const asConstant = (b: Builder, rows: Rows): Value =>
  b.constant(Float32Array.from(rows.flat()), [rows.length, rows[0]?.length ?? 0], 'float32');

/** The shortest sums for which a product for each axis beats one for both: those of four do not. */
const LONG_ENOUGH = 6;

/**
 * Multiplies x from the left, [...lead, columns of the matrix, n], or by the matrix transposed. If a
 * point of h has one part only, the matrix is the outer product of two small ones: the axes follow one
 * another, with a third of the multiplications.
 */
function times(b: Builder, [h, w]: Matrix, x: Value, transpose = false): Value {
  const axes = [h.flat(), w.flat()].map((rows) => (transpose ? turnedRound(rows) : rows));
  const [down, across] = axes as [Rows, Rows];
  const [lead, n] = [x.shape.slice(0, -2), x.shape.at(-1) as number];
  const [high, wide] = [down[0]?.length ?? 0, across[0]?.length ?? 0];
  if (h.every((rows) => rows.length === 1) && Math.min(high, wide) >= LONG_ENOUGH) {
    const first = b.MatMul(asConstant(b, down), b.Reshape(x, [...lead, high, wide * n]));
    const rows = b.Reshape(first, [...lead, down.length, wide, n]);
    const both = b.MatMul(asConstant(b, across), rows);
    return b.Reshape(both, [...lead, down.length * across.length, n]);
  }
  const all = h.flatMap((i) => w.flatMap((j) => outer(i, j)));
  return b.MatMul(asConstant(b, transpose ? turnedRound(all) : all), x);
}

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

/** Rows of one group after the other, where each pixel has a row for each group. */
const ofGroups = (table: readonly number[], groups: number): readonly number[] =>
  groups === 1
    ? table
    : range(groups).flatMap((group) => table.map((at) => (at < 0 ? -1 : at * groups + group)));

/** The pixels of channels-last images, as a row for each pixel and group. */
const rowsOf = (b: Builder, x: Value, groups: number): Value => {
  const channels = x.shape.at(-1) as number;
  return b.Reshape(x, [(sizeOf(x.shape) / channels) * groups, channels / groups]);
};

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

/** B x: [groups · points, tiles · images, inputs] */
function imagePoints(b: Builder, x: Value, g: Geometry, groups: number): Value {
  const { lead, points, images, tiles, strides, inputs } = sizes(g, groups);
  const gathered = gatherOrZero(b, rowsOf(b, x, groups), ofGroups(pixelsOfStrides(g), groups), 0);
  const seen = b.Reshape(gathered, [...lead, strides, images * inputs]);
  return b.Reshape(times(b, inputMatrix(g), seen), [groups * points, tiles * images, inputs]);
}

/** G w: [groups · points, inputs, outputs] */
function filterPoints(b: Builder, filter: Value, g: Geometry, groups: number): Value {
  const { points, inputs, outputs } = sizes(g, groups);
  const [height, width, ...channels] = filter.shape as [number, number, number, number];
  const all = times(b, filterMatrix(g), b.Reshape(filter, [height * width, sizeOf(channels)]));
  if (groups === 1) return b.Reshape(all, [points, inputs, outputs]);
  const apart = b.Transpose(b.Reshape(all, [points * inputs, groups, outputs]), [1, 0, 2]);
  return b.Reshape(apart, [groups * points, inputs, outputs]);
}

/** Aᵀ ∂L/∂y: [groups · points, tiles · images, outputs] */
function gradientPoints(b: Builder, dy: Value, g: Geometry, groups: number): Value {
  const { lead, points, images, tiles, places, outputs } = sizes(g, groups);
  const gathered = gatherOrZero(b, rowsOf(b, dy, groups), ofGroups(outputsOfBlocks(g), groups), 0);
  const seen = b.Reshape(gathered, [...lead, places, images * outputs]);
  return b.Reshape(times(b, outputMatrix(g), seen), [groups * points, tiles * images, outputs]);
}

const transposed = (b: Builder, points: Value): Value => b.Transpose(points, [0, 2, 1]);

/** A constant matrix, transposed, with what has a row for each of its rows, for each group. */
function fromPoints(b: Builder, [h, w]: Matrix, points: Value, groups: number): Value {
  const rows = h.flat().length * w.flat().length;
  const columns = sizeOf(points.shape) / rows / groups;
  const lead = groups > 1 ? [groups] : [];
  return times(b, [h, w], b.Reshape(points, [...lead, rows, columns]), true);
}

/**
 * The forward pass; this and the two gradients below have the signatures of those in products.ts.
 * @param groups of channels, each with filters of its own: [height, width, in / groups, out]
 */
export function convolve(b: Builder, x: Value, filter: Value, g: Geometry, groups = 1): Value {
  const [h, w] = g.axes;
  const { outputs } = sizes(g, groups);
  const points = b.MatMul(imagePoints(b, x, g, groups), filterPoints(b, filter, g, groups));
  const y = fromPoints(b, outputMatrix(g), points, groups);
  const rows = b.Reshape(y, [sizeOf(y.shape) / outputs, outputs]);
  const length = g.batch * h.output * w.output * groups;
  const put = putBack(b, rows, ofGroups(outputsOfBlocks(g), groups), length);
  return b.Reshape(put, [g.batch, h.output, w.output, g.outChannels]);
}

export function inputGradient(
  b: Builder,
  dy: Value,
  filter: Value,
  g: Geometry,
  groups = 1,
): Value {
  const [h, w] = g.axes;
  // Blocks overlap in the image, and would have to be added up.
  if (g.axes.every((a) => a.stride === 1)) {
    return convolve(b, dy, turned(b, filter, groups), mirrored(g), groups);
  }
  const weights = transposed(b, filterPoints(b, filter, g, groups));
  const points = b.MatMul(gradientPoints(b, dy, g, groups), weights);
  const y = fromPoints(b, inputMatrix(g), points, groups);
  const channels = g.inChannels / groups;
  const rows = b.Reshape(y, [sizeOf(y.shape) / channels, channels]);
  const length = g.batch * h.input * w.input * groups;
  const image = putBack(b, rows, ofGroups(pixelsOfStrides(g), groups), length);
  return b.Reshape(image, [g.batch, h.input, w.input, g.inChannels]);
}

export function filterGradient(b: Builder, x: Value, dy: Value, g: Geometry, groups = 1): Value {
  const [h, w] = g.axes;
  const { inputs, outputs, points: count } = sizes(g, groups);
  const seen = transposed(b, imagePoints(b, x, g, groups));
  const points = b.MatMul(seen, gradientPoints(b, dy, g, groups));
  const shape = [h.kernel, w.kernel, g.inChannels / groups, g.outChannels];
  if (groups === 1) return b.Reshape(fromPoints(b, filterMatrix(g), points, 1), shape);
  // The filters of all groups lie side by side.
  const apart = b.Reshape(points, [groups, count * inputs, outputs]);
  const beside = b.Reshape(b.Transpose(apart, [1, 0, 2]), [count, inputs, groups * outputs]);
  return b.Reshape(fromPoints(b, filterMatrix(g), beside, 1), shape);
}

/** Whether there is a form for these sizes, however many multiplications it has. */
export const hasForm = (g: Geometry): boolean => formFor(g) !== undefined;
