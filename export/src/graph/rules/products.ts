import { broadcastShapes } from '../shapes.js';
import {
  axisOf,
  each,
  integersAt,
  mustEqual,
  numberOf,
  type Rule,
  type Rules,
  type Shape,
  shapeAt,
} from './rule.js';

/** The shape without the given axes, or with a 1 in the place of each. */
const without = (shape: Shape, axes: readonly number[], keep: boolean): Shape =>
  shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));

const reduction: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const axes = integersAt(call, 1).map((axis) => axisOf(axis, shape.length));
  return [without(shape, axes, numberOf(call, 'keepdims', 1) === 1)];
};

const place: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const axis = axisOf(numberOf(call, 'axis', 0), shape.length);
  return [without(shape, [axis], numberOf(call, 'keepdims', 1) === 1)];
};

const topK: Rule = (call) => {
  const shape = shapeAt(call, 0);
  const axis = axisOf(numberOf(call, 'axis', -1), shape.length);
  const [k] = integersAt(call, 1) as [number];
  if (k > (shape[axis] as number)) throw new Error(`there are no ${k} along axis ${axis}`);
  const top = shape.map((d, i) => (i === axis ? k : d));
  return [top, top];
};

const matMul: Rule = (call) => {
  const [a, b] = [shapeAt(call, 0), shapeAt(call, 1)];
  if (a.length < 2 || b.length < 2) throw new Error('both factors have to be matrices');
  mustEqual('the height of the second matrix', b.slice(-2, -1), a.slice(-1));
  const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2));
  return [[...batch, a.at(-2) as number, b.at(-1) as number]];
};

const gemm: Rule = (call) => {
  const matrix = (i: number, flag: string): Shape => {
    const shape = shapeAt(call, i);
    if (shape.length !== 2) throw new Error('both factors have to be matrices');
    return numberOf(call, flag, 0) === 1 ? [...shape].reverse() : shape;
  };
  const [a, b] = [matrix(0, 'transA'), matrix(1, 'transB')];
  mustEqual('the height of the second matrix', b.slice(0, 1), a.slice(1));
  const result = [a[0] as number, b[1] as number];
  const added = call.shapes[2];
  if (added) mustEqual('what the added matrix gives', broadcastShapes(result, added), result);
  return [result];
};

const einsum: Rule = (call) => {
  const [from, to] = String(call.attrs.equation).split('->') as [string, string];
  const sizes = new Map<string, number>();
  from.split(',').forEach((letters, i) => {
    const shape = shapeAt(call, i);
    mustEqual(`the number of axes of "${letters.trim()}"`, [shape.length], [letters.trim().length]);
    [...letters.trim()].forEach((letter, k) => {
      const size = shape[k] as number;
      mustEqual(`the axis "${letter}"`, [size], [sizes.get(letter) ?? size]);
      sizes.set(letter, size);
    });
  });
  return [[...to.trim()].map((letter) => sizes.get(letter) as number)];
};

/** Operators that sum or choose along axes. */
export const PRODUCTS: Rules = {
  ...each(['ReduceSum', 'ReduceMean', 'ReduceProd', 'ReduceL1'], reduction),
  ...each(['ReduceMax', 'ReduceMin'], reduction),
  ...each(['ArgMax', 'ArgMin'], place),
  TopK: topK,
  MatMul: matMul,
  Gemm: gemm,
  Einsum: einsum,
};
