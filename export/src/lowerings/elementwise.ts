import * as tf from '@tensorflow/tfjs-core';
import { type Builder, ONNX_TYPE } from '../graph/builder.js';
import { broadcastShapes } from '../graph/shapes.js';
import type { DType, Attrs as OnnxAttrs, Value } from '../graph/value.js';
import { laidOut, shapeOf, type View, view } from '../graph/view.js';
import { type Lowering, lowerViews, type Table } from './table.js';

/**
 * Elementwise kernels do not mind how their operands lie, as long as they lie alike: the result
 * keeps the layout of the first operand that has a pending permutation and the result's rank.
 */
export function aligned(b: Builder, views: readonly View[], f: (values: Value[]) => Value): View {
  const rank = views.map(shapeOf).reduce<readonly number[]>(broadcastShapes, []).length;
  const perm = views.find((v) => v.perm?.length === rank)?.perm;
  if (!perm) return view(f(views.map((v) => (v.perm ? b.Transpose(v.value, v.perm) : v.value))));
  return view(f(views.map((v) => laidOut(b, v, perm))), perm);
}

/**
 * In which type a kernel computes and what it gives: by default it computes in float32 and gives
 * back the type of its input; 'any' computes on integers as they are; 'float32' gives float32.
 */
type Typing = 'any' | 'float32' | undefined;

const unary = (f: (b: Builder, x: Value, attrs: Attrs) => Value, typing?: Typing): Lowering =>
  lowerViews<{ x: View }, Attrs>(({ x }, attrs, b) => {
    const dtype = x.value.dtype;
    const compute = typing === 'any' && dtype !== 'bool' ? dtype : 'float32';
    return aligned(b, [x], ([v]) => {
      const y = f(b, b.Cast(v as Value, compute), attrs);
      return y.dtype === 'bool' ? y : b.Cast(y, typing === 'float32' ? 'float32' : dtype);
    });
  });

/** A kernel of a and b in the type of a, or in `compute`; its result has a's type unless it is bool. */
const binary = (f: (b: Builder, x: Value, y: Value) => Value, compute?: DType): Lowering =>
  lowerViews<{ a: View; b: View }>((inputs, _, b) =>
    aligned(b, [inputs.a, inputs.b], (values) => {
      const own = (values[0] as Value).dtype;
      const dtype = compute ?? (own === 'bool' ? 'int32' : own);
      const [x, y] = values.map((v) => b.Cast(v, dtype));
      const result = f(b, x as Value, y as Value);
      return result.dtype === 'bool' ? result : b.Cast(result, own);
    }),
  );

interface Attrs {
  readonly alpha?: number;
  readonly clipValueMin?: number;
  readonly clipValueMax?: number;
  readonly dtype?: DType;
}

/** ONNX has the operator under the same meaning. */
const same = (op: string, typing?: Typing, attrs: OnnxAttrs = {}): Lowering =>
  unary((b, x) => b.map(op, [x], attrs), typing);

const prelu = (b: Builder, x: Value, alpha: Value): Value =>
  b.Where(b.Less(x, b.float(0)), b.Mul(x, alpha), x);

/** The activations TF.js fuses into convolutions and products; `slopes` are prelu's. */
export function activate(
  b: Builder,
  x: Value,
  name: string | undefined,
  alpha?: number,
  slopes?: Value,
): Value {
  if (!name || name === 'linear') return x;
  if (name === 'prelu' && slopes) return prelu(b, x, slopes);
  const f = ACTIVATIONS[name];
  if (!f) throw new Error(`the fused activation ${name} has no ONNX form here`);
  return f(b, x, alpha);
}
const ACTIVATIONS: Readonly<Record<string, (b: Builder, x: Value, alpha?: number) => Value>> = {
  relu: (b, x) => b.Relu(x),
  relu6: (b, x) => b.Clip(x, b.float(0), b.float(6)),
  elu: (b, x) => b.map('Elu', [x]),
  sigmoid: (b, x) => b.map('Sigmoid', [x]),
  leakyrelu: (b, x, alpha = 0.2) => b.map('LeakyRelu', [x], { alpha: { float: alpha } }),
};

const { SELU_SCALE, SELU_SCALEALPHA } = tf.backend_util;

export const UNARY: Table = {
  Abs: same('Abs', 'any'),
  Acos: same('Acos'),
  Acosh: same('Acosh'),
  Asin: same('Asin'),
  Asinh: same('Asinh'),
  Atan: same('Atan'),
  Atanh: same('Atanh'),
  Ceil: same('Ceil'),
  Cos: same('Cos'),
  Cosh: same('Cosh'),
  Elu: same('Elu'),
  Erf: same('Erf'),
  Exp: same('Exp', 'float32'),
  Floor: same('Floor'),
  Log: same('Log'),
  Neg: same('Neg', 'any'),
  Reciprocal: same('Reciprocal'),
  Relu: same('Relu', 'any'),
  Round: same('Round'),
  Selu: same('Selu', undefined, {
    alpha: { float: SELU_SCALEALPHA / SELU_SCALE },
    gamma: { float: SELU_SCALE },
  }),
  Sigmoid: same('Sigmoid'),
  Sin: same('Sin'),
  Sinh: same('Sinh'),
  Softplus: same('Softplus'),
  Sqrt: same('Sqrt'),
  Tan: same('Tan'),
  Tanh: same('Tanh'),
  Expm1: unary((b, x) => b.Sub(b.map('Exp', [x]), b.float(1))),
  Log1p: unary((b, x) => b.map('Log', [b.Add(x, b.float(1))])),
  Rsqrt: unary((b, x) => b.Reciprocal(b.Sqrt(x))),
  Square: unary((b, x) => b.Mul(x, x), 'any'),
  Relu6: unary((b, x) => b.Clip(x, b.float(0), b.float(6))),
  LeakyRelu: unary(
    (b, x, { alpha = 0.2 }) => b.map('LeakyRelu', [x], { alpha: { float: alpha } }),
    'float32',
  ),
  // The sign of NaN is NaN in ONNX and 0 in TF.js.
  Sign: unary(
    (b, x) => (x.dtype === 'float32' ? b.Where(b.IsNaN(x), b.float(0), b.Sign(x)) : b.Sign(x)),
    'any',
  ),
  // Without a slope, whatever is left of x in [0, 1], rounded up: as fast as comparing, and NaN stays.
  Step: unary((b, x, { alpha = 0 }) =>
    alpha === 0
      ? b.map('Ceil', [b.Clip(x, b.float(0), b.float(1))])
      : b.Where(b.IsNaN(x), x, b.Where(b.Greater(x, b.float(0)), b.float(1), b.float(alpha))),
  ),
  ClipByValue: unary(
    (b, x, { clipValueMin = 0, clipValueMax = 0 }) =>
      b.Clip(x, b.scalar(clipValueMin, x.dtype), b.scalar(clipValueMax, x.dtype)),
    'any',
  ),
  IsNan: unary((b, x) => b.IsNaN(x)),
  IsInf: unary((b, x) => b.IsInf(x)),
  IsFinite: unary((b, x) => b.Not(b.Or(b.IsNaN(x), b.IsInf(x)))),
  LogicalNot: lowerViews<{ x: View }>(({ x }, _, b) =>
    aligned(b, [x], ([v]) => b.Not(b.Cast(v as Value, 'bool'))),
  ),
  Cast: lowerViews<{ x: View }, { dtype: DType }>(({ x }, { dtype }, b) => {
    if (!(dtype in ONNX_TYPE)) throw new Error(`a tensor cannot be cast to ${dtype} in a trace`);
    return aligned(b, [x], ([v]) => b.Cast(v as Value, dtype));
  }),
};

/** The angle of (x, y) in (−π, π], from the arctangent of y/x and the signs. */
function atan2(b: Builder, y: Value, x: Value): Value {
  const [zero, pi, half] = [b.float(0), b.float(Math.PI), b.float(Math.PI / 2)];
  const angle = b.map('Atan', [b.Div(y, x)]);
  const left = b.Where(b.GreaterOrEqual(y, zero), b.Add(angle, pi), b.Sub(angle, pi));
  const aside = b.Where(b.Less(x, zero), left, angle);
  const upright = b.Where(b.Greater(y, zero), half, b.Where(b.Less(y, zero), b.Neg(half), zero));
  const finite = b.Where(b.Equal(x, zero), upright, aside);
  return b.Where(b.Or(b.IsNaN(y), b.IsNaN(x)), b.float(Number.NaN), finite);
}

/** The remainder with the sign of the divisor. */
function mod(b: Builder, x: Value, y: Value): Value {
  if (x.dtype !== 'float32') return b.Mod(x, y);
  const remainder = (p: Value) => b.Mod(p, y, { fmod: 1 });
  return remainder(b.Add(remainder(x), y));
}

export const BINARY: Table = {
  Add: binary((b, x, y) => b.Add(x, y)),
  Sub: binary((b, x, y) => b.Sub(x, y)),
  Multiply: binary((b, x, y) => b.Mul(x, y)),
  RealDiv: binary((b, x, y) => b.Div(x, y), 'float32'),
  FloorDiv: binary((b, x, y) => b.Cast(b.Floor(b.Div(x, y)), 'int32'), 'float32'),
  Mod: binary(mod),
  Maximum: binary((b, x, y) => b.Max(x, y)),
  Minimum: binary((b, x, y) => b.Min(x, y)),
  Pow: binary((b, x, y) => b.Pow(x, y)),
  Atan2: binary(atan2, 'float32'),
  SquaredDifference: binary((b, x, y) => {
    const d = b.Sub(x, y);
    return b.Mul(d, d);
  }),
  Greater: binary((b, x, y) => b.Greater(x, y)),
  GreaterEqual: binary((b, x, y) => b.GreaterOrEqual(x, y)),
  Less: binary((b, x, y) => b.Less(x, y)),
  LessEqual: binary((b, x, y) => b.LessOrEqual(x, y)),
  Equal: binary((b, x, y) => b.Equal(x, y)),
  NotEqual: binary((b, x, y) => b.Not(b.Equal(x, y))),
  LogicalAnd: binary((b, x, y) => b.And(x, y), 'bool'),
  LogicalOr: binary((b, x, y) => b.Or(x, y), 'bool'),
  BitwiseAnd: binary((b, x, y) => b.map('BitwiseAnd', [x, y])),
  Prelu: lowerViews<{ x: View; alpha: View }>(({ x, alpha }, _, b) =>
    aligned(b, [x, alpha], ([v, a]) =>
      prelu(b, b.Cast(v as Value, 'float32'), b.Cast(a as Value, 'float32')),
    ),
  ),
  // dy · (y ≥ 0 ? 1 : y + 1): the gradient of elu from its result.
  EluGrad: lowerViews<{ dy: View; y: View }>((inputs, _, b) =>
    aligned(b, [inputs.dy, inputs.y], (values) => {
      const [dy, y] = values as [Value, Value];
      return b.Where(b.GreaterOrEqual(y, b.float(0)), dy, b.Mul(dy, b.Add(y, b.float(1))));
    }),
  ),
  Select: lowerViews<{ condition: View; t: View; e: View }>(({ condition, t, e }, _, b) => {
    const rank = shapeOf(t).length;
    const dtype = tf.upcastType(
      t.value.dtype as tf.DataType,
      e.value.dtype as tf.DataType,
    ) as DType;
    // A condition of rank 1 chooses whole rows.
    const rows = shapeOf(condition);
    const choose =
      rows.length === 1 && rank > 1
        ? view(b.Reshape(condition.value, [...rows, ...new Array(rank - 1).fill(1)]))
        : condition;
    return aligned(b, [choose, t, e], ([c, x, y]) =>
      b.Where(b.Cast(c as Value, 'bool'), b.Cast(x as Value, dtype), b.Cast(y as Value, dtype)),
    );
  }),
  AddN: lowerViews((inputs, _, b) =>
    aligned(b, Object.values(inputs) as View[], (values) => values.reduce(b.Add)),
  ),
};
