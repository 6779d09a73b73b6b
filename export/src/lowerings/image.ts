import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../graph/builder.js';
import type { Data, Value } from '../graph/value.js';
import { lower, type Table } from './table.js';

/** Images sampled at computed places: crops, projective transforms, rotations; boxes. */

type Shape4 = [number, number, number, number];

const lastUnit = (b: Builder, x: Value): Value => b.Reshape(x, [...x.shape, 1]);
const half = (b: Builder, x: Value): Value => b.Floor(b.Add(x, b.float(0.5)));

/** Column i of a matrix, as [rows, 1, 1]. */
function column(b: Builder, matrix: Value, i: number): Value {
  const rows = matrix.shape[0] as number;
  return b.Reshape(b.Slice(matrix, [0, i], [rows, i + 1]), [rows, 1, 1]);
}

/** Whether each coordinate lies within the image. */
function inside(b: Builder, y: Value, x: Value, height: number, width: number): Value {
  const within = (v: Value, size: number): Value =>
    b.And(b.GreaterOrEqual(v, b.float(0)), b.LessOrEqual(v, b.float(size - 1)));
  return lastUnit(b, b.And(within(y, height), within(x, width)));
}

/** Reads pixels. (image, y, x) broadcast; coordinates are clamped to the image. */
function pixelsOf(b: Builder, images: Value, image: Value): (y: Value, x: Value) => Value {
  const [n, height, width, channels] = images.shape as Shape4;
  const table = b.Reshape(b.Cast(images, 'float32'), [n * height * width, channels]);
  const index = (v: Value, size: number): Value =>
    b.Cast(b.Clip(v, b.float(0), b.float(size - 1)), 'int64');
  const times = (v: Value, size: number): Value => b.Mul(v, b.scalar(size, 'int64'));
  return (y, x) => {
    const row = b.Add(times(image, height), index(y, height));
    return b.Gather(table, b.Add(times(row, width), index(x, width)), 0);
  };
}

const lerp = (b: Builder, p: Value, q: Value, part: Value): Value =>
  b.Add(p, b.Mul(b.Sub(q, p), part));

interface Crop {
  readonly cropSize: [number, number];
  readonly method: 'bilinear' | 'nearest';
  readonly extrapolationValue: number;
}

/** The places of `count` samples between two ends given as parts of the image: [boxes, count]. */
function samples(b: Builder, from: Value, to: Value, size: number, count: number): Value {
  if (count === 1) return b.Mul(b.Add(from, to), b.float(0.5 * (size - 1)));
  const step = b.Mul(b.Sub(to, from), b.float((size - 1) / (count - 1)));
  return b.Add(b.Mul(from, b.float(size - 1)), b.Mul(b.iota([1, count, 1], 'float32'), step));
}

function cropAndResize(b: Builder, image: Value, boxes: Value, boxInd: Value, attrs: Crop): Value {
  const [n, height, width] = image.shape as Shape4;
  const [count] = boxes.shape as [number];
  const [h, w] = attrs.cropSize;
  const edge = (i: number) => column(b, boxes, i);
  const y = samples(b, edge(0), edge(2), height, h);
  const x = b.Reshape(samples(b, edge(1), edge(3), width, w), [count, 1, w]);
  const index = b.Reshape(b.Cast(boxInd, 'float32'), [count, 1, 1]);
  const at = pixelsOf(b, image, b.Cast(b.Clip(index, b.float(0), b.float(n - 1)), 'int64'));
  const read = (): Value => {
    if (attrs.method === 'nearest') return at(half(b, y), half(b, x));
    const [top, left] = [b.Floor(y), b.Floor(x)];
    const [bottom, right] = [b.map('Ceil', [y]), b.map('Ceil', [x])];
    const across = lastUnit(b, b.Sub(x, left));
    const upper = lerp(b, at(top, left), at(top, right), across);
    const lower = lerp(b, at(bottom, left), at(bottom, right), across);
    return lerp(b, upper, lower, lastUnit(b, b.Sub(y, top)));
  };
  const cropped = b.Where(
    inside(b, y, x, height, width),
    read(),
    b.float(attrs.extrapolationValue),
  );
  return b.Where(lastUnit(b, b.Less(index, b.float(n))), cropped, b.float(0));
}

interface TransformAttrs {
  readonly interpolation: 'nearest' | 'bilinear';
  readonly fillMode: 'constant' | 'reflect' | 'wrap' | 'nearest';
  readonly fillValue: number;
  readonly outputShape?: [number, number];
}

const truncated = (b: Builder, x: Value): Value => b.Cast(b.Cast(x, 'int64'), 'float32');

/** Maps coordinates outside the image back into it, along an axis of the given size. */
type FillMode = (b: Builder, place: Value, size: number) => Value;

const clamp: FillMode = (b, v, size) => b.Clip(v, b.float(0), b.float(size - 1));

/** Mirror images, the edge repeated: … 1 0 | 0 1 2 | 2 1 …. */
const reflect: FillMode = (b, v, size) => {
  const period = b.float(2 * size);
  const periods = (x: Value): Value => b.Mul(truncated(b, b.Div(x, period)), period);
  const negative = b.Add(periods(b.Neg(v)), v);
  const below = b.Where(
    b.Less(negative, b.float(-size)),
    b.Add(negative, period),
    b.Sub(b.Neg(negative), b.float(1)),
  );
  const rest = b.Sub(v, periods(v));
  const above = b.Where(
    b.GreaterOrEqual(rest, b.float(size)),
    b.Sub(b.Sub(period, rest), b.float(1)),
    rest,
  );
  return offImage(b, v, size, below, above);
};

/** The image again: … 1 2 | 0 1 2 | 0 1 …. */
const wrap: FillMode = (b, v, size) => {
  const turns = (x: Value): Value => truncated(b, b.Div(x, b.float(size - 1)));
  const below = b.Add(v, b.Mul(b.Add(turns(b.Neg(v)), b.float(1)), b.float(size)));
  const above = b.Sub(v, b.Mul(turns(v), b.float(size)));
  return offImage(b, v, size, below, above);
};

function offImage(b: Builder, v: Value, size: number, below: Value, above: Value): Value {
  const after = b.Where(b.Greater(v, b.float(size - 1)), above, v);
  return clamp(b, b.Where(b.Less(v, b.float(0)), below, after), size);
}

const FILL_MODES: Readonly<Record<TransformAttrs['fillMode'], FillMode>> = {
  constant: (_, v) => v,
  nearest: clamp,
  reflect: (b, v, size) => (size > 1 ? reflect(b, v, size) : clamp(b, v, size)),
  wrap: (b, v, size) => (size > 1 ? wrap(b, v, size) : clamp(b, v, size)),
};

/** Each image by a projective map of eight numbers, from places of the result to places in it. */
function transform(b: Builder, image: Value, transforms: Value, attrs: TransformAttrs): Value {
  const [n, height, width] = image.shape as Shape4;
  const [h, w] = attrs.outputShape ?? [height, width];
  const numbers = b.Cast(transforms, 'float32');
  const [column0, row0] = [b.iota([1, 1, w], 'float32'), b.iota([1, h, 1], 'float32')];
  const linear = (i: number, offset: Value): Value =>
    b.Add(
      b.Add(b.Mul(column(b, numbers, i), column0), b.Mul(column(b, numbers, i + 1), row0)),
      offset,
    );
  const scale = linear(6, b.float(1));
  const fill = FILL_MODES[attrs.fillMode];
  const x = fill(b, b.Div(linear(0, column(b, numbers, 2)), scale), width);
  const y = fill(b, b.Div(linear(3, column(b, numbers, 5)), scale), height);
  const read = pixelsOf(b, image, b.countRows([n, 1, 1]));
  const value = b.float(attrs.fillValue);
  const at = (v: Value, u: Value): Value =>
    b.Where(inside(b, v, u, height, width), read(v, u), value);
  const interpolated = (): Value => {
    if (attrs.interpolation === 'nearest') return at(half(b, y), half(b, x));
    const [top, left] = [b.Floor(y), b.Floor(x)];
    const [bottom, right] = [b.Add(top, b.float(1)), b.Add(left, b.float(1))];
    const across = lastUnit(b, b.Sub(x, left));
    const upper = lerp(b, at(top, left), at(top, right), across);
    const lower = lerp(b, at(bottom, left), at(bottom, right), across);
    return lerp(b, upper, lower, lastUnit(b, b.Sub(y, top)));
  };
  const filled = b.Where(lastUnit(b, b.Equal(scale, b.float(0))), value, interpolated());
  return b.Cast(filled, image.dtype);
}

interface Rotation {
  readonly radians: number;
  readonly fillValue: number | [number, number, number];
  readonly center: number | [number, number];
}

/** The pixel of the source for each pixel of the rotated image, −1 outside. */
function rotatedPixels(height: number, width: number, { radians, center }: Rotation): number[] {
  const [cx, cy] = tf.backend_util.getImageCenter(center, height, width);
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  return Array.from({ length: height * width }, (_, i) => {
    const [dx, dy] = [(i % width) - cx, Math.floor(i / width) - cy];
    const [x, y] = [Math.round(dx * cos - dy * sin + cx), Math.round(dx * sin + dy * cos + cy)];
    return x >= 0 && x < width && y >= 0 && y < height ? y * width + x : -1;
  });
}

function rotate(b: Builder, image: Value, attrs: Rotation): Value {
  const [n, height, width, channels] = image.shape as Shape4;
  const source = rotatedPixels(height, width, attrs);
  const rows = b.constant(
    Int32Array.from(source, (i) => Math.max(0, i)),
    [source.length],
    'int32',
  );
  const known = Uint8Array.from(source, (i) => Number(i >= 0));
  const pixels = b.Gather(b.Reshape(image, [n, height * width, channels]), rows, 1);
  // A fill value of three channels leaves the fourth, opacity, full.
  const fill = attrs.fillValue;
  const colour = (c: number): number => (typeof fill === 'number' ? fill : (fill[c] ?? 255));
  const colours = Array.from({ length: channels }, (_, c) => colour(c));
  const data: Data =
    image.dtype === 'int32' ? Int32Array.from(colours) : Float32Array.from(colours);
  const mask = b.constant(known, [1, known.length, 1], 'bool');
  const filled = b.constant(data, [channels], image.dtype);
  return b.Reshape(b.Where(mask, pixels, filled), image.shape);
}

interface Suppression {
  readonly maxOutputSize: number;
  readonly iouThreshold: number;
  readonly scoreThreshold: number;
}

/**
 * The indices of the kept boxes, best first. `shape` is that of ONNX's result: a row of batch, class
 * and box for each.
 */
function kept(
  b: Builder,
  boxes: Value,
  scores: Value,
  a: Suppression,
  shape: readonly number[],
): Value {
  const n = boxes.shape[0] as number;
  const one = (x: number): Value => b.constant(Float32Array.of(x), [1], 'float32');
  const inputs = [
    b.Reshape(boxes, [1, n, 4]),
    b.Reshape(scores, [1, 1, n]),
    b.ints([a.maxOutputSize]),
    one(a.iouThreshold),
    one(a.scoreThreshold),
  ];
  const [rows] = b.op('NonMaxSuppression', inputs, {}, { shape, dtype: 'int64' }) as [Value];
  return b.Gather(rows, b.scalar(2, 'int64'), 1);
}

const mostKept = ({ shape }: Value, { maxOutputSize }: Suppression): number =>
  Math.min(shape[0] as number, maxOutputSize);

/** As many indices as boxes are kept: how many is known only at run time. */
const someKept = (b: Builder, boxes: Value, scores: Value, a: Suppression): Value =>
  b.Cast(kept(b, boxes, scores, a, [b.unknownSize(mostKept(boxes, a)), 3]), 'int32');

/** The indices of the kept boxes, padded with 0, and their number. */
function paddedKept(b: Builder, boxes: Value, scores: Value, a: Suppression): Value[] {
  // The graph records the largest possible number.
  const most = mostKept(boxes, a);
  const indices = kept(b, boxes, scores, a, [most, 3]);
  const padding = b.constant(new BigInt64Array(a.maxOutputSize), [a.maxOutputSize], 'int64');
  const padded = b.Concat([indices, padding], 0);
  const first = b.Slice(padded, [0], [a.maxOutputSize]);
  const [count] = b.op('Size', [indices], {}, { shape: [], dtype: 'int64' }) as [Value];
  return [b.Cast(first, 'int32'), b.Cast(count, 'int32')];
}

interface Boxes {
  boxes: Value;
  scores: Value;
}

export const IMAGE: Table = {
  CropAndResize: lower<{ image: Value; boxes: Value; boxInd: Value }, Crop>((i, attrs, b) =>
    cropAndResize(b, i.image, i.boxes, i.boxInd, attrs),
  ),
  Transform: lower<{ image: Value; transforms: Value }, TransformAttrs>((i, attrs, b) =>
    transform(b, i.image, i.transforms, attrs),
  ),
  RotateWithOffset: lower<{ image: Value }, Rotation>(({ image }, attrs, b) =>
    rotate(b, image, attrs),
  ),
  NonMaxSuppressionV3: lower<Boxes, Suppression>(({ boxes, scores }, attrs, b) =>
    someKept(b, boxes, scores, attrs),
  ),
  NonMaxSuppressionV4: lower<Boxes, Suppression & { padToMaxOutputSize: boolean }>(
    ({ boxes, scores }, attrs, b) => {
      if (attrs.padToMaxOutputSize) return paddedKept(b, boxes, scores, attrs);
      const indices = someKept(b, boxes, scores, attrs);
      const [count] = b.op('Size', [indices], {}, { shape: [], dtype: 'int64' }) as [Value];
      return [indices, b.Cast(count, 'int32')];
    },
  ),
  NonMaxSuppressionV5: lower<Boxes, Suppression & { softNmsSigma: number }>(
    ({ boxes, scores }, attrs, b) => {
      if (attrs.softNmsSigma > 0) {
        throw new Error(
          'NonMaxSuppressionV5 lowers the scores of boxes that overlap (soft_nms_sigma), which ONNX ' +
            'cannot: end the graph before it',
        );
      }
      const indices = someKept(b, boxes, scores, attrs);
      return [indices, b.Gather(scores, indices, 0)];
    },
  ),
};
