import { broadcastShapes, permute, sizeOf } from '../shapes.js';
import {
  ANY,
  axisOf,
  type Call,
  integersAt,
  listOf,
  mustEqual,
  numberOf,
  type Rule,
  type Rules,
  type Shape,
  shapeAt,
} from './rule.js';

const reshape: Rule = (call) => {
  const from = shapeAt(call, 0);
  const copies = numberOf(call, 'allowzero', 0) === 0;
  const target = integersAt(call, 1).map((d, i) => (d === 0 && copies ? (from[i] ?? 0) : d));
  const known = sizeOf(target.filter((d) => d !== -1));
  const shape = target.map((d) => (d === -1 ? sizeOf(from) / known : d));
  if (sizeOf(shape) !== sizeOf(from) || shape.some((d) => !Number.isInteger(d))) {
    throw new Error(`${sizeOf(from)} elements cannot have the shape [${target}]`);
  }
  return [shape];
};

const transpose: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const perm = listOf(call, 'perm') ?? [];
  mustEqual(
    'the sorted permutation',
    [...perm].sort((a, b) => a - b),
    [...shape.keys()],
  );
  return [permute(shape, perm)];
};

const concat: Rule = (call) => {
  const [head, ...rest] = call.shapes.map((_, i) => shapeAt(call, i)) as [Shape, ...Shape[]];
  const axis = axisOf(numberOf(call, 'axis', 0), head.length);
  const others = (shape: Shape): Shape => shape.map((d, i) => (i === axis ? -1 : d));
  for (const shape of rest) mustEqual('a part beside its axis', others(shape), others(head));
  const along = [head, ...rest].reduce((sum, shape) => sum + (shape[axis] as number), 0);
  return [head.map((d, i) => (i === axis ? along : d))];
};

/** The number of elements from `begin` to `end`, exclusive, as ONNX clamps them to an axis. */
function sliced(size: number, begin: number, end: number, step: number): number {
  const fromStart = (at: number): number => (at < 0 ? at + size : at);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (at: number, least: number): number => Math.min(high, Math.max(least, at));
  const start = clamp(fromStart(begin), 0);
  return Math.max(0, Math.ceil((clamp(fromStart(end), low) - start) / step));
}

const slice: Rule = (call) => {
  const shape = [...shapeAt(call, 0)];
  const [begin, end] = [integersAt(call, 1), integersAt(call, 2)];
  const axes = call.integers(3) ?? begin.map((_, i) => i);
  const steps = call.integers(4) ?? begin.map(() => 1);
  mustEqual('the number of ends', [end.length, axes.length], [begin.length, begin.length]);
  axes.forEach((at, i) => {
    const axis = axisOf(at, shape.length);
    const bounds = [begin[i], end[i], steps[i]] as [number, number, number];
    shape[axis] = sliced(shape[axis] as number, ...bounds);
  });
  return [shape];
};

const pad: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const pads = integersAt(call, 1);
  mustEqual('the number of pads', [pads.length], [2 * shape.length]);
  return [shape.map((d, i) => d + (pads[i] as number) + (pads[i + shape.length] as number))];
};

const tile: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const repeats = integersAt(call, 1);
  mustEqual('the number of repeats', [repeats.length], [shape.length]);
  return [shape.map((d, i) => d * (repeats[i] as number))];
};

const squeeze: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const axes = integersAt(call, 1).map((axis) => axisOf(axis, shape.length));
  const gone = axes.map((axis) => shape[axis] as number);
  mustEqual(
    'what is squeezed',
    gone,
    gone.map(() => 1),
  );
  return [shape.filter((_, i) => !axes.includes(i))];
};

const unsqueeze: Rule = (call) => {
  const rest = [...shapeAt(call, 0)];
  const added = integersAt(call, 1);
  const rank = rest.length + added.length;
  const axes = added.map((axis) => axisOf(axis, rank));
  return [Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() ?? 0)))];
};

const shapeItself: Rule = (call) => {
  const rank = shapeAt(call, 0).length;
  const [start, end] = [numberOf(call, 'start', 0), numberOf(call, 'end', rank)];
  return [[sliced(rank, start, end, 1)]];
};

const depthToSpace: Rule = (call) => {
  const [n, c, h, w] = shapeAt(call, 0) as [number, number, number, number];
  const block = numberOf(call, 'blocksize', 1);
  return [[n, c / block ** 2, h * block, w * block]];
};

const gather: Rule = (call) => {
  const [shape, indices] = [shapeAt(call, 0), shapeAt(call, 1)];
  const axis = axisOf(numberOf(call, 'axis', 0), shape.length);
  return [[...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]];
};

/** What the index tuples, the last axis of input 1, pick of input 0. */
function picked(call: Call, batchDims: number): Shape {
  const [shape, indices] = [shapeAt(call, 0), shapeAt(call, 1)];
  const depth = batchDims + (indices.at(-1) as number);
  if (depth > shape.length) throw new Error(`index tuples of ${depth} axes are too long`);
  return [...indices.slice(0, -1), ...shape.slice(depth)];
}

const gatherND: Rule = (call) => {
  const batchDims = numberOf(call, 'batch_dims', 0);
  const batch = (i: number): Shape => shapeAt(call, i).slice(0, batchDims);
  mustEqual("the indices' batch", batch(1), batch(0));
  return [picked(call, batchDims)];
};

const scatterND: Rule = (call) => {
  mustEqual('the updates', shapeAt(call, 2), picked(call, 0));
  return [shapeAt(call, 0)];
};

const scatterElements: Rule = (call) => {
  mustEqual('the updates', shapeAt(call, 2), shapeAt(call, 1));
  return [shapeAt(call, 0)];
};

/** Index tuples, one a column, of the elements that are not zero. */
const nonZero: Rule = (call) => [[shapeAt(call, 0).length, ANY]];

/** The different parts along an axis; where each was first, where each part is now, how many. */
const unique: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const axis = axisOf(numberOf(call, 'axis', 0), shape.length);
  return [shape.map((d, i) => (i === axis ? ANY : d)), [ANY], [shape[axis] as number], [ANY]];
};

/** Operators that move, repeat, pick or put elements and compute nothing. */
export const LAYOUT: Rules = {
  Reshape: reshape,
  Transpose: transpose,
  Expand: (call) => [broadcastShapes(shapeAt(call, 0), integersAt(call, 1))],
  Tile: tile,
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Range: () => [[ANY]],
  Shape: shapeItself,
  Size: () => [[]],
  DepthToSpace: depthToSpace,
  Gather: gather,
  GatherND: gatherND,
  NonZero: nonZero,
  Unique: unique,
  ScatterND: scatterND,
  ScatterElements: scatterElements,
};
