import type { Builder } from '../graph/builder.js';
import { range } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { CHANNELS_FIRST, laidOut, shapeOf, type View, view } from '../graph/view.js';
import { takeRows } from './shape.js';
import { type Lowering, lower, lowerViews, type Table } from './table.js';

interface Attrs {
  readonly alignCorners: boolean;
  readonly halfPixelCenters?: boolean;
  /** Height and width of the result. */
  readonly size: [number, number];
}

/** Where a row of the result lies among the rows of the source, as TF.js computes it. */
function sourcePlaces(
  from: number,
  to: number,
  attrs: Omit<Attrs, 'size'>,
  shift: number,
): number[] {
  const aligned = attrs.alignCorners && to > 1;
  const scale = aligned ? (from - 1) / (to - 1) : from / to;
  return range(to).map((i) => (attrs.halfPixelCenters ? scale * (i + 0.5) - shift : scale * i));
}

/** The source row that each row of the result repeats. */
function nearestRows(from: number, to: number, attrs: Omit<Attrs, 'size'>): number[] {
  const round = attrs.alignCorners ? Math.round : Math.floor;
  const clamp = (i: number) => Math.min(from - 1, Math.max(0, i));
  return sourcePlaces(from, to, attrs, 0).map((place) => clamp(round(place)));
}

/** The matrix [to, from] whose rows are the weights of the source's rows. */
function weights(from: number, to: number, attrs: Omit<Attrs, 'size'>, nearest: boolean) {
  const matrix = new Float32Array(to * from);
  const add = (row: number, column: number, weight: number): void => {
    matrix[row * from + column] = (matrix[row * from + column] as number) + weight;
  };
  if (nearest) {
    for (const [i, row] of nearestRows(from, to, attrs).entries()) add(i, row, 1);
    return matrix;
  }
  for (const [i, place] of sourcePlaces(from, to, attrs, 0.5).entries()) {
    const low = Math.max(0, Math.floor(place));
    const part = place - low;
    add(i, low, 1 - part);
    add(i, Math.min(from - 1, Math.ceil(place)), part);
  }
  return matrix;
}

/** ONNX's Resize of the two inner axes, in the given coordinates. */
function resize(b: Builder, x: View, size: readonly number[], attrs: Record<string, string>): View {
  const images = laidOut(b, x, CHANNELS_FIRST);
  const shape = [...images.shape.slice(0, 2), ...size];
  // All four sizes: onnxruntime's layout optimiser loses them where `axes` says which they are.
  const inputs = [images, undefined, undefined, b.ints(shape)];
  const out = { shape, dtype: images.dtype };
  return view(b.op('Resize', inputs, attrs, out)[0] as Value, CHANNELS_FIRST);
}

const bilinear: Lowering = lowerViews<{ images: View }, Attrs>(({ images }, attrs, b) => {
  const pixels = view(b.Cast(images.value, 'float32'), images.perm);
  const corners = attrs.alignCorners ? 'align_corners' : 'asymmetric';
  const coordinates = attrs.halfPixelCenters ? 'half_pixel' : corners;
  return resize(b, pixels, attrs.size, {
    mode: 'linear',
    coordinate_transformation_mode: coordinates,
  });
});

/**
 * Enlarging a whole number of times is ONNX's Resize. Otherwise rows are picked by number: there
 * onnxruntime rounds places in float32, and may pick a neighbour.
 */
const nearest: Lowering = lowerViews<{ images: View }, Attrs>(({ images }, attrs, b) => {
  const [, height, width] = shapeOf(images) as [number, number, number];
  const [h, w] = attrs.size;
  if (!attrs.alignCorners && h % height === 0 && w % width === 0) {
    return resize(b, images, attrs.size, {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
  }
  const rows = takeRows(b, images, 1, nearestRows(height, h, attrs));
  return takeRows(b, rows, 2, nearestRows(width, w, attrs));
});

/** The weights of the forward pass, transposed: along the height, then along the width. */
const gradient = (isNearest: boolean): Lowering =>
  lower<{ images: Value; dy: Value }, Attrs>(({ images, dy }, { alignCorners }, b) => {
    const [n, height, width, channels] = images.shape as [number, number, number, number];
    const [, h, w] = dy.shape as [number, number, number];
    const matrix = (from: number, to: number): Value => {
      const forward = weights(from, to, { alignCorners }, isNearest);
      return b.Transpose(b.constant(forward, [to, from], 'float32'), [1, 0]);
    };
    const rows = b.Reshape(b.Cast(dy, 'float32'), [n, h, w * channels]);
    const tall = b.Reshape(b.MatMul(matrix(height, h), rows), [n * height, w, channels]);
    return b.Reshape(b.MatMul(matrix(width, w), tall), images.shape);
  });

export const RESIZE: Table = {
  ResizeBilinear: bilinear,
  ResizeNearestNeighbor: nearest,
  ResizeBilinearGrad: gradient(false),
  ResizeNearestNeighborGrad: gradient(true),
};
