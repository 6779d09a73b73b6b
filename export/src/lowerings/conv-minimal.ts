import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { range } from '../shapes.js';
import type { Axis, Geometry } from './conv-geometry.js';
import { gatherOrZero } from './conv-products.js';

/**
 * Convolutions whose kernel is two strides wide, by minimal filtering (Winograd 1980; for networks
 * Lavin & Gray 2016, arXiv:1509.09308). Two neighbouring outputs of a filter of two taps,
 *
 *     y₀ = d₀g₀ + d₁g₁ and y₁ = d₁g₀ + d₂g₁,
 *
 * take three products in place of four: (d₀ − d₁)g₀, d₁(g₀ + g₁) and (d₂ − d₁)g₁. In two dimensions
 * nine stand for sixteen, and with channels each of the nine "points" is a product of matrices.
 *
 * With a stride of s an image is s · s phases, each the pixels at one place of a stride; side by side
 * as channels they are an image for a convolution of stride 1 and two taps.
 *
 * An image, a filter and a gradient are each brought to the points by a product with a constant
 * matrix, all their places at once, and the three convolutions of a training step are
 *
 *     y = A ((G w) ∘ (B x)), ∂L/∂x = Bᵀ ((G w) ∘ (Aᵀ ∂L/∂y)), ∂L/∂w = Gᵀ ((B x) ∘ (Aᵀ ∂L/∂y)),
 *
 * so that what one of them has computed serves the others.
 */
const TAPS = 2;
/** Outputs along an axis that are computed together: a tile. */
const TILE = 2;
/** What each point takes of three neighbouring inputs. */
const OF_INPUTS = [
  [1, -1, 0],
  [0, 1, 0],
  [0, -1, 1],
] as const;
/** What each point takes of the two taps, and what it gives to the two outputs of its tile. */
const OF_PAIR = [
  [1, 0],
  [1, 1],
  [0, 1],
] as const;
const POINTS = OF_PAIR.length ** 2;

const tilesOf = (a: Axis): number => Math.ceil(a.output / TILE);
/** Strides of the image that the tiles see; the last may lie outside. */
const stridesOf = (a: Axis): number => tilesOf(a) * TILE + TAPS - 1;

/** Sizes of both axes together; `inputs` are the channels of all phases. */
const sizes = ({ axes: [h, w], inChannels }: Geometry) => ({
  tiles: tilesOf(h) * tilesOf(w),
  strides: stridesOf(h) * stridesOf(w),
  places: h.output * w.output,
  inputs: h.stride * w.stride * inChannels,
});

/**
 * Of what is multiplied directly, at most so much: what is moved about besides costs as much as the
 * last few per cent save. Steps of gpn-mnist, with layers at 0.86 and 0.90, take as long either way.
 */
const WORTH = 0.85;

/**
 * Whether there is enough less to multiply in all, the constant matrices included: where channels are
 * many for the size of the images and of the batch.
 */
export function fewerProducts(g: Geometry): boolean {
  if (g.axes.some((a) => a.dilation !== 1 || a.kernel !== TAPS * a.stride)) return false;
  const { tiles, strides, places, inputs } = sizes(g);
  const products = tiles * inputs * g.outChannels;
  const ofImages = tiles * (strides * inputs + places * g.outChannels);
  const ofFilter = (g.axes[0].kernel * g.axes[1].kernel * inputs * g.outChannels) / g.batch;
  const direct = places * TAPS ** 2 * inputs * g.outChannels;
  return POINTS * (products + ofImages + ofFilter) < WORTH * direct;
}

type Rows = readonly (readonly number[])[];

/** The outer product of each row of `h` with each of `w`. */
const outer = (h: Rows, w: Rows): Rows =>
  h.flatMap((a) => w.map((b) => a.flatMap((x) => b.map((y) => x * y))));

/**
 * A constant matrix whose rows are (point of h, point of w, part of h, part of w): the points go
 * first, as each has a product of its own. @param partsOf the rows of one point along one axis
 */
function matrix<P>(
  b: Builder,
  g: Geometry,
  points: readonly P[],
  partsOf: (a: Axis, p: P) => Rows,
) {
  const rows = points.flatMap((i) =>
    points.flatMap((j) => outer(partsOf(g.axes[0], i), partsOf(g.axes[1], j))),
  );
  const columns = (rows[0] as readonly number[]).length;
  return b.constant(Float32Array.from(rows.flat()), [rows.length, columns], 'float32');
}

/** The row of each tile: `row` where the tile is, zeros elsewhere. */
const perTile = (a: Axis, row: readonly number[], places: number): Rows =>
  range(tilesOf(a)).map((tile) => range(places).map((at) => row[at - tile * TILE] ?? 0));

/** B: [points · tiles, strides of the image]. */
const inputMatrix = (b: Builder, g: Geometry): Value =>
  matrix(b, g, OF_INPUTS, (a, row) => perTile(a, row, stridesOf(a)));

/** Aᵀ: [points · tiles, places of the output]; the last tile may reach beyond them. */
const outputMatrix = (b: Builder, g: Geometry): Value =>
  matrix(b, g, OF_PAIR, (a, row) => perTile(a, row, a.output));

/** G: [points · phases, pixels of the filter]. */
const filterMatrix = (b: Builder, g: Geometry): Value =>
  matrix(b, g, OF_PAIR, (a, row) =>
    range(a.stride).map((phase) =>
      row.flatMap((x) => range(a.stride).map((p) => (p === phase ? x : 0))),
    ),
  );

/** Where the pixels of each stride are: rows (stride of h, stride of w, image, phase), −1 outside. */
function pixelsOfStrides(g: Geometry): number[] {
  const [h, w] = g.axes;
  const at = (a: Axis, stride: number, phase: number): number => {
    const pixel = stride * a.stride + phase - a.before;
    return pixel < a.input ? pixel : -1;
  };
  return range(stridesOf(h)).flatMap((sy) =>
    range(stridesOf(w)).flatMap((sx) =>
      range(g.batch).flatMap((n) =>
        range(h.stride).flatMap((py) =>
          range(w.stride).map((px) => {
            const [y, x] = [at(h, sy, py), at(w, sx, px)];
            return y < 0 || x < 0 ? -1 : (n * h.input + y) * w.input + x;
          }),
        ),
      ),
    ),
  );
}

/** B x: [points, tiles · batch, inputs] */
function imagePoints(b: Builder, x: Value, g: Geometry): Value {
  const { tiles, strides, inputs } = sizes(g);
  const pixels = b.Reshape(x, [g.batch * g.axes[0].input * g.axes[1].input, g.inChannels]);
  const gathered = gatherOrZero(b, pixels, pixelsOfStrides(g), 0);
  const points = b.MatMul(inputMatrix(b, g), b.Reshape(gathered, [strides, g.batch * inputs]));
  return b.Reshape(points, [POINTS, tiles * g.batch, inputs]);
}

/** G w: [points, inputs, out] */
function filterPoints(b: Builder, filter: Value, g: Geometry): Value {
  const G = filterMatrix(b, g);
  const points = b.MatMul(
    G,
    b.Reshape(filter, [G.shape[1] as number, g.inChannels * g.outChannels]),
  );
  return b.Reshape(points, [POINTS, sizes(g).inputs, g.outChannels]);
}

/** Aᵀ ∂L/∂y: [points, tiles · batch, out] */
function gradientPoints(b: Builder, dy: Value, g: Geometry): Value {
  const { tiles, places } = sizes(g);
  const byPlace = b.Transpose(b.Reshape(dy, [g.batch, places, g.outChannels]), [1, 0, 2]);
  const columns = b.Reshape(byPlace, [places, g.batch * g.outChannels]);
  const points = b.MatMul(outputMatrix(b, g), columns);
  return b.Reshape(points, [POINTS, tiles * g.batch, g.outChannels]);
}

const transposed = (b: Builder, points: Value): Value => b.Transpose(points, [0, 2, 1]);

/** A constant matrix, transposed, with what has a row for each of its rows. */
function fromPoints(b: Builder, constant: Value, points: Value, columns: number): Value {
  const rows = b.Reshape(points, [constant.shape[0] as number, columns]);
  return b.MatMul(b.Transpose(constant, [1, 0]), rows);
}

/** The three of conv-products.ts. */
export function convolve(b: Builder, x: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const points = b.MatMul(imagePoints(b, x, g), filterPoints(b, filter, g));
  const y = fromPoints(b, outputMatrix(b, g), points, g.batch * g.outChannels);
  const byPlace = b.Reshape(y, [h.output * w.output, g.batch, g.outChannels]);
  return b.Reshape(b.Transpose(byPlace, [1, 0, 2]), [g.batch, h.output, w.output, g.outChannels]);
}

export function inputGradient(b: Builder, dy: Value, filter: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const points = b.MatMul(gradientPoints(b, dy, g), transposed(b, filterPoints(b, filter, g)));
  const strides = fromPoints(b, inputMatrix(b, g), points, g.batch * sizes(g).inputs);
  const pixels = pixelsOfStrides(g);
  // Pixels that no stride has are seen by no window.
  const indices = new Array<number>(g.batch * h.input * w.input).fill(-1);
  for (const [i, pixel] of pixels.entries()) if (pixel >= 0) indices[pixel] = i;
  const image = gatherOrZero(b, b.Reshape(strides, [pixels.length, g.inChannels]), indices, 0);
  return b.Reshape(image, [g.batch, h.input, w.input, g.inChannels]);
}

export function filterGradient(b: Builder, x: Value, dy: Value, g: Geometry): Value {
  const [h, w] = g.axes;
  const points = b.MatMul(transposed(b, imagePoints(b, x, g)), gradientPoints(b, dy, g));
  const filter = fromPoints(b, filterMatrix(b, g), points, g.inChannels * g.outChannels);
  return b.Reshape(filter, [h.kernel, w.kernel, g.inChannels, g.outChannels]);
}
