import type { Builder } from '../builder.js';
import type { DType, Value } from '../graph.js';
import { broadcastShapes } from '../shapes.js';
import { laidOut, shapeOf, type View, view } from '../view.js';
import { type Lowering, lowerViews, type Table } from './table.js';

/**
 * Elementwise kernels do not mind how their operands lie, as long as they lie alike: the result
 * keeps the layout of the first operand that has a pending permutation and the result's rank.
 */
function aligned(b: Builder, views: readonly View[], f: (values: Value[]) => Value): View {
  const rank = views.map(shapeOf).reduce<readonly number[]>(broadcastShapes, []).length;
  const perm = views.find((v) => v.perm?.length === rank)?.perm;
  if (!perm) return view(f(views.map((v) => (v.perm ? b.Transpose(v.value, v.perm) : v.value))));
  return view(f(views.map((v) => laidOut(b, v, perm))), perm);
}

/** A kernel of x; `compute` says in which type, for those that TF.js lets run on integers. */
const unary = (f: (b: Builder, x: Value, attrs: Attrs) => Value, compute?: 'any'): Lowering =>
  lowerViews<{ x: View }, Attrs>(({ x }, attrs, b) => {
    const dtype = x.value.dtype;
    return aligned(b, [x], ([v]) => {
      const y = f(b, compute === 'any' ? (v as Value) : b.Cast(v as Value, 'float32'), attrs);
      return y.dtype === 'bool' ? y : b.Cast(y, dtype === 'bool' ? 'float32' : dtype);
    });
  });

/** A kernel of a and b in their common type. */
const binary = (f: (b: Builder, x: Value, y: Value) => Value, compute?: DType): Lowering =>
  lowerViews<{ a: View; b: View }>((inputs, _, b) =>
    aligned(b, [inputs.a, inputs.b], (values) => {
      const dtype = compute ?? (values[0]?.dtype === 'bool' ? 'int32' : (values[0] as Value).dtype);
      const [x, y] = values.map((v) => b.Cast(v, dtype));
      return f(b, x as Value, y as Value);
    }),
  );

interface Attrs {
  readonly alpha?: number;
  readonly clipValueMin?: number;
  readonly clipValueMax?: number;
  readonly dtype?: DType;
}

/** ONNX has the operator under the same meaning. */
const same = (op: string, compute?: 'any'): Lowering => unary((b, x) => b.map(op, [x]), compute);

/** relu, leaky relu and elu as TF.js fuses them into convolutions and products. */
export function activate(b: Builder, x: Value, name: string | undefined, alpha?: number): Value {
  const f = name === undefined ? undefined : ACTIVATIONS[name];
  if (name === undefined || name === 'linear') return x;
  if (!f) throw new Error(`the fused activation ${name} has no ONNX form here`);
  return f(b, x, alpha);
}
const ACTIVATIONS: Readonly<Record<string, (b: Builder, x: Value, alpha?: number) => Value>> = {
  relu: (b, x) => b.map('Relu', [x]),
  relu6: (b, x) => b.Clip(x, b.float(0), b.float(6)),
  elu: (b, x) => b.map('Elu', [x]),
  sigmoid: (b, x) => b.map('Sigmoid', [x]),
  leakyrelu: (b, x, alpha = 0.2) => b.map('LeakyRelu', [x], { alpha: { float: alpha } }),
};

export const UNARY: Table = {
  Abs: same('Abs', 'any'),
  Ceil: same('Ceil'),
  Cos: same('Cos'),
  Elu: same('Elu'),
  Erf: same('Erf'),
  Exp: same('Exp'),
  Floor: same('Floor'),
  Log: same('Log'),
  Neg: same('Neg', 'any'),
  Reciprocal: same('Reciprocal'),
  Relu: same('Relu', 'any'),
  Round: same('Round'),
  Sigmoid: same('Sigmoid'),
  Sin: same('Sin'),
  Softplus: same('Softplus'),
  Sqrt: same('Sqrt'),
  Tan: same('Tan'),
  Tanh: same('Tanh'),
  Expm1: unary((b, x) => b.Sub(b.map('Exp', [x]), b.float(1))),
  Log1p: unary((b, x) => b.map('Log', [b.Add(x, b.float(1))])),
  Rsqrt: unary((b, x) => b.Reciprocal(b.Sqrt(x))),
  Square: unary((b, x) => b.Mul(x, x), 'any'),
  Relu6: unary((b, x) => b.Clip(x, b.float(0), b.float(6))),
  LeakyRelu: unary((b, x, { alpha = 0.2 }) => b.map('LeakyRelu', [x], { alpha: { float: alpha } })),
  Step: unary((b, x, { alpha = 0 }) =>
    alpha === 0
      ? b.Cast(b.Greater(x, b.float(0)), 'float32')
      : b.Where(b.Greater(x, b.float(0)), b.float(1), b.float(alpha)),
  ),
  ClipByValue: unary((b, x, { clipValueMin = 0, clipValueMax = 0 }) =>
    b.Clip(x, b.float(clipValueMin), b.float(clipValueMax)),
  ),
  LogicalNot: lowerViews<{ x: View }>(({ x }, _, b) =>
    aligned(b, [x], ([v]) => b.Not(b.Cast(v as Value, 'bool'))),
  ),
  Cast: lowerViews<{ x: View }, { dtype: DType }>(({ x }, { dtype }, b) =>
    aligned(b, [x], ([v]) => b.Cast(v as Value, dtype)),
  ),
};

export const BINARY: Table = {
  Add: binary((b, x, y) => b.Add(x, y)),
  Sub: binary((b, x, y) => b.Sub(x, y)),
  Multiply: binary((b, x, y) => b.Mul(x, y)),
  RealDiv: binary((b, x, y) => b.Div(x, y), 'float32'),
  Maximum: binary((b, x, y) => b.Max(x, y)),
  Minimum: binary((b, x, y) => b.Min(x, y)),
  Pow: binary((b, x, y) => b.Pow(x, y)),
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
  Select: lowerViews<{ condition: View; t: View; e: View }>(({ condition, t, e }, _, b) => {
    const rank = shapeOf(t).length;
    // A condition of rank 1 chooses whole rows.
    const rows = shapeOf(condition);
    const choose =
      rows.length === 1 && rank > 1
        ? view(b.Reshape(condition.value, [...rows, ...new Array(rank - 1).fill(1)]))
        : condition;
    return aligned(b, [choose, t, e], ([c, x, y]) =>
      b.Where(b.Cast(c as Value, 'bool'), x as Value, y as Value),
    );
  }),
  AddN: lowerViews((inputs, _, b) =>
    aligned(b, Object.values(inputs) as View[], (values) => values.reduce(b.Add)),
  ),
};
