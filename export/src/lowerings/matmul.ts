import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../graph/builder.js';
import { range } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { activate } from './elementwise.js';
import { lower, type Table } from './table.js';

interface Attrs {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

function swapLast(b: Builder, x: Value): Value {
  const perm = range(x.shape.length);
  const n = perm.length;
  [perm[n - 1], perm[n - 2]] = [n - 2, n - 1];
  return b.Transpose(x, perm);
}

/** Drops leading axes of size 1, which TF.js adds so as to have one kernel for every product. */
function asMatrix(b: Builder, x: Value): Value | undefined {
  return x.shape.slice(0, -2).every((d) => d === 1) ? b.Reshape(x, x.shape.slice(-2)) : undefined;
}

/**
 * Products of matrices are one Gemm, transposes and bias included; batches of them MatMul.
 * @param then what is done to the product, before it gets TF.js's leading axes back
 */
function product(
  b: Builder,
  x: Value,
  y: Value,
  { transposeA, transposeB }: Attrs,
  then: (r: Value) => Value = (r) => r,
): Value {
  const [p, q] = [asMatrix(b, x), asMatrix(b, y)];
  if (p && q) {
    const r =
      transposeA || transposeB
        ? b.Gemm(p, q, undefined, { transA: transposeA ?? false, transB: transposeB ?? false })
        : b.MatMul(p, q);
    const lead = Math.max(x.shape.length, y.shape.length) - 2;
    return b.Reshape(then(r), [...new Array(lead).fill(1), ...r.shape]);
  }
  return then(b.MatMul(transposeA ? swapLast(b, x) : x, transposeB ? swapLast(b, y) : y));
}

export const MATMUL: Table = {
  BatchMatMul: lower<{ a: unknown; b: unknown }, Attrs>((inputs, attrs, b) =>
    product(b, inputs.a, inputs.b, attrs),
  ),
  _FusedMatMul: lower<
    { a: unknown; b: unknown; bias: unknown; preluActivationWeights: unknown },
    Attrs & { activation?: string; leakyreluAlpha?: number }
  >((inputs, attrs, b) => {
    const { activation, leakyreluAlpha } = attrs;
    return product(b, inputs.a, inputs.b, attrs, (r) => {
      const biased = inputs.bias ? b.Add(r, inputs.bias) : r;
      return activate(b, biased, activation, leakyreluAlpha, inputs.preluActivationWeights);
    });
  }),
  Einsum: lower<Record<string, Value>, { equation: string }>((inputs, attrs, b) => {
    const tensors = Object.values(inputs) as Value[];
    const equation = attrs.equation.replace(/\s/g, '');
    const infos = tensors.map((v) => ({ shape: [...v.shape] }) as tf.Tensor);
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, infos);
    const [terms, result] = equation.split('->') as [string, string];
    const sizes = new Map(
      terms
        .split(',')
        .flatMap((term, i) =>
          [...term].map((axis, k): [string, number] => [axis, tensors[i]?.shape[k] as number]),
        ),
    );
    const out = {
      shape: [...result].map((axis) => sizes.get(axis) as number),
      dtype: 'float32',
    } as const;
    const floats = tensors.map((v) => b.Cast(v, 'float32'));
    return b.op('Einsum', floats, { equation }, out)[0] as Value;
  }),
};
