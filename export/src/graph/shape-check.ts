import { reasonOf } from '../reason.js';
import { CONTROL } from './rules/control.js';
import { ELEMENTWISE } from './rules/elementwise.js';
import { LAYOUT } from './rules/layout.js';
import { PRODUCTS } from './rules/products.js';
import { RECURRENT } from './rules/recurrent.js';
import { ANY, type Call, type Rules, type Shape } from './rules/rule.js';
import { WINDOWS } from './rules/windows.js';
import { sameShape } from './shapes.js';
import type { Node, Value } from './value.js';

/** A shape rule for every ONNX operator that a graph here may hold. */
export const SHAPE_RULES: Rules = {
  ...ELEMENTWISE,
  ...LAYOUT,
  ...PRODUCTS,
  ...WINDOWS,
  ...RECURRENT,
  ...CONTROL,
};

/**
 * Checks the shapes that a node's results were recorded with against the operator's rule. A free
 * dimension takes part as the size it was traced at.
 * @throws Error that names the operator, with the recorded and the right shape; or says that the
 *   operator has no rule, or that its inputs do not fit together
 */
export function checkShapes(node: Node): void {
  const { op, inputs, attrs, outputs, bodies: graphs = [] } = node;
  const rule = SHAPE_RULES[op];
  if (!rule) throw new Error(`the operator ${op} has no shape rule: add one in graph/rules/`);
  const shapes = inputs.map((v) => v?.shape);
  const bodies = graphs.map(({ graph }) => graph.outputs.map(({ value }) => value.shape));
  const integers = integersIn(inputs);
  const expected = resultsOf(node, () => rule({ shapes, attrs, integers, bodies }));
  outputs.forEach(({ shape }, i) => {
    const right = expected[i];
    if (right && fits(shape, right)) return;
    const due = right ? `its inputs ${listed(shapes)} give [${right}]` : 'it has no such result';
    throw new Error(`${op} was recorded with a result of shape [${shape}], but ${due}`);
  });
}

const fits = (shape: Shape, right: Shape): boolean =>
  sameShape(
    shape,
    right.map((d, i) => (d === ANY ? (shape[i] ?? d) : d)),
  );

function resultsOf({ op, inputs }: Node, rule: () => readonly Shape[]): readonly Shape[] {
  try {
    return rule();
  } catch (cause) {
    const shapes = listed(inputs.map((v) => v?.shape));
    throw new Error(`${op} cannot take inputs of the shapes ${shapes}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

const listed = (shapes: readonly (Shape | undefined)[]): string =>
  shapes.map((shape) => (shape ? `[${shape}]` : 'none')).join(', ');

const integersIn =
  (inputs: Node['inputs']): Call['integers'] =>
  (i) => {
    const value = inputs[i];
    return value && integersOf(value);
  };

/**
 * The integers that a value holds. A shape with a free dimension is put together when the graph
 * runs, by the few operators of the pass that frees it: they are computed at the traced sizes.
 */
function integersOf(value: Value): readonly number[] {
  if (value.data) return Array.from(value.data as ArrayLike<number | bigint>, Number);
  const { node } = value;
  const compute = node && COMPUTED[node.op];
  if (!compute) throw new Error(`%${value.id}, which decides its shape, is known only at run time`);
  return compute(node);
}

const COMPUTED: Readonly<Record<string, (node: Node) => readonly number[]>> = {
  Shape: ({ inputs, attrs }) =>
    (inputs[0] as Value).shape.slice(attrs.start as number, attrs.end as number),
  Concat: ({ inputs }) => inputs.flatMap((v) => integersOf(v as Value)),
  Add: pairwise((x, y) => x + y),
  Mul: pairwise((x, y) => x * y),
};

/** Of two lists with one integer each. */
function pairwise(f: (x: number, y: number) => number): (node: Node) => readonly number[] {
  return ({ inputs }) => {
    const [[x], [y]] = inputs.map((v) => integersOf(v as Value)) as [[number], [number]];
    return [f(x, y)];
  };
}
