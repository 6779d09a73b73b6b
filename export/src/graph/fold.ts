import { sizeOf, stridesOf } from './shapes.js';
import type { Attrs, Data, DType, Value } from './value.js';

/**
 * Computes the few operators that lowerings apply to weights: new layouts, and the scalings that
 * fold a normalisation into a convolution. Everything bigger folds at the level of TF.js kernels.
 * Values in an expression are rounded to float32 after each operator, as onnxruntime would.
 */
export function foldConstants(
  op: string,
  inputs: readonly (Value | undefined)[],
  attrs: Attrs,
  shape: readonly number[],
  dtype: DType,
): Data | undefined {
  const rule = RULES[op];
  if (!rule || inputs.some((v) => v !== undefined && !v.data)) return undefined;
  return rule(inputs as Value[], shape, dtype, attrs);
}

type Rule = (
  inputs: Value[],
  shape: readonly number[],
  dtype: DType,
  attrs: Attrs,
) => Data | undefined;

const RULES: Readonly<Record<string, Rule>> = {
  Reshape: ([x]) => x?.data,
  Transpose: ([x], shape, _, { perm }) => {
    const source = x as Value;
    const strides = stridesOf(source.shape);
    return gather(
      source,
      shape,
      (perm as number[]).map((p) => strides[p] as number),
    );
  },
  Add: binary((a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = at(a, i) + at(b, i);
  }),
  Sub: binary((a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = at(a, i) - at(b, i);
  }),
  Mul: binary((a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = at(a, i) * at(b, i);
  }),
  Div: binary((a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = at(a, i) / at(b, i);
  }),
  Sqrt: unary((a) => a.map(Math.sqrt)),
  Reciprocal: unary((a) => a.map((x) => 1 / x)),
  Neg: unary((a) => a.map((x) => -x)),
};

const at = (xs: Float32Array, i: number): number => xs[i] as number;

/** A rule for float32 operands that broadcast. The loop is each operator's own: shared, it is slow. */
function binary(loop: (a: Float32Array, b: Float32Array, out: Float32Array) => void): Rule {
  return (inputs, shape, dtype) => {
    if (dtype !== 'float32') return undefined;
    const [a, b] = inputs.map((v) => gather(v, shape, broadcastStrides(v.shape, shape)));
    const result = new Float32Array(sizeOf(shape));
    loop(a as Float32Array, b as Float32Array, result);
    return result;
  };
}

function unary(f: (a: Float32Array) => Float32Array): Rule {
  return ([x], _, dtype) => (dtype === 'float32' ? f(x?.data as Float32Array) : undefined);
}

function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : (strides[i - lead] as number)));
}

/** A constant inside a larger one of zeros, with so many of them in front of it along each axis. */
export function amidZeros(source: Value, front: readonly number[], shape: readonly number[]): Data {
  const data = source.data as Data;
  const zeros = data.slice(0, 0).constructor as new (n: number) => Data;
  const result = new zeros(sizeOf(shape));
  const [from, to] = [stridesOf(source.shape), stridesOf(shape)];
  const place = (i: number): number =>
    source.shape.reduce((at, size, k) => {
      const index = Math.floor(i / (from[k] as number)) % size;
      return at + (index + (front[k] as number)) * (to[k] as number);
    }, 0);
  data.forEach((x: number | bigint, i: number) => {
    result[place(i)] = x as never;
  });
  return result;
}

/** Element [i, j, …] of the result is the source's element at i·strides[0] + j·strides[1] + …. */
function gather(source: Value, shape: readonly number[], strides: readonly number[]): Data {
  const data = source.data as Data;
  if (`${strides}` === `${stridesOf(shape)}` && sizeOf(shape) === data.length) return data;
  const result = data.slice(0, 0).constructor as new (n: number) => Data;
  const out = new result(sizeOf(shape));
  const last = shape.length - 1;
  const [run, step] = [shape[last] ?? 1, strides[last] ?? 0];
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += run) {
    for (let k = 0; k < run; k++) out[to + k] = data[from + k * step] as never;
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      if (++(index[axis] as number) < (shape[axis] as number)) break;
      from -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
