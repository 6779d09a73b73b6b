import { type Attrs, type Data, type DType, sizeOf, type Value } from './graph.js';
import { stridesOf } from './shapes.js';

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
  Add: float((a, b) => a + b),
  Sub: float((a, b) => a - b),
  Mul: float((a, b) => a * b),
  Div: float((a, b) => a / b),
  Sqrt: float((a) => Math.sqrt(a)),
  Reciprocal: float((a) => 1 / a),
  Neg: float((a) => -a),
};

/** A rule for float32 operands that broadcast. */
function float(f: (a: number, b: number) => number): Rule {
  return (inputs, shape, dtype) => {
    if (dtype !== 'float32') return undefined;
    const [a, b] = inputs.map((v) => gather(v, shape, broadcastStrides(v.shape, shape)));
    const result = new Float32Array(sizeOf(shape));
    for (let i = 0; i < result.length; i++) {
      result[i] = f((a as Float32Array)[i] as number, (b as Float32Array | undefined)?.[i] ?? 0);
    }
    return result;
  };
}

function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : (strides[i - lead] as number)));
}

/** Element [i, j, …] of the result is the source's element at i·strides[0] + j·strides[1] + …. */
function gather(source: Value, shape: readonly number[], strides: readonly number[]): Data {
  const data = source.data as Data;
  const result = data.slice(0, 0).constructor as new (n: number) => Data;
  const out = new result(sizeOf(shape));
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[at] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis] as number;
      if (++(index[axis] as number) < (shape[axis] as number)) break;
      at -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
