import { Graph } from '../graph/graph.js';
import { sameShape, sizeOf } from '../graph/shapes.js';
import type { Body, Node, Value } from '../graph/value.js';

/**
 * Operators that may as well be computed where their result is not chosen: they are quick, and right
 * for any numbers. What looks up places, or divides whole numbers, may fail on the other branch's.
 */
const HARMLESS = new Set([
  ...['Abs', 'Add', 'And', 'Cast', 'Ceil', 'Clip', 'Concat', 'Equal', 'Exp', 'Expand', 'Floor'],
  ...['Greater', 'GreaterOrEqual', 'Identity', 'IsInf', 'IsNaN', 'Less', 'LessOrEqual', 'Log'],
  ...['Max', 'Min', 'Mul', 'Neg', 'Not', 'Or', 'Pow', 'Reciprocal', 'Relu', 'Reshape', 'Round'],
  ...['Shape', 'Sigmoid', 'Sign', 'Slice', 'Sqrt', 'Squeeze', 'Sub', 'Tanh', 'Tile', 'Transpose'],
  ...['Unsqueeze', 'Where'],
]);

const isHarmless = ({ op, inputs }: Node): boolean =>
  HARMLESS.has(op) || (op === 'Div' && inputs.every((v) => v?.dtype === 'float32'));

/** Constants of more elements are not written twice. */
const SMALL = 64;

/** Choices by one condition, none of which depends on another. */
interface Group {
  readonly condition: Value;
  readonly choices: Node[];
}

/** The two branches of a choice: of a Where, the input that each is. */
const BRANCHES = [
  { attribute: 'then_branch', input: 1 },
  { attribute: 'else_branch', input: 2 },
] as const;

/**
 * Writes ONNX's If where one number chooses between two results that take time, or that may fail on
 * values for which the other is meant. What only one branch needs is then computed in it alone.
 *
 * It comes after all other passes, which would not look into branches.
 */
export function branch(graph: Graph): Graph {
  const order = graph.order();
  const groups = groupsOf(order);
  if (groups.length === 0) return graph;
  const readers = readersOf(order);
  const ends = new Set(graph.outputs.map(({ value }) => value));
  const chosen = new Map<Value, Value>();
  for (const group of groups) {
    const parts = BRANCHES.map(({ input }) => ownNodes(order, readers, ends, group, input));
    if (parts.flatMap((part) => [...part]).every(isHarmless)) continue;
    const branches = BRANCHES.map(({ attribute, input }, i) => ({
      attribute,
      ...bodyOf(parts[i] as Set<Node>, roots(group, input), readers),
    }));
    const taken = branches.flatMap((b) => b.taken);
    const bodies = branches.map(
      ({ attribute, graph: body, taken: own }): Body => ({
        attribute,
        graph: branch(body),
        captured: own.length,
      }),
    );
    const results = group.choices.map(({ outputs }) => outputs[0] as Value);
    const values = graph.node('If', [group.condition, ...taken], {}, results, bodies);
    results.forEach((v, i) => {
      chosen.set(v, values[i] as Value);
    });
  }
  return chosen.size > 0 ? replaced(graph, chosen) : graph;
}

const roots = ({ choices }: Group, input: number): Value[] =>
  choices.map((choice) => choice.inputs[input] as Value);

/** The condition of a choice that one number makes for all elements. */
function conditionOf({ op, inputs, outputs }: Node): Value | undefined {
  const [all, ...results] = inputs;
  const whole = outputs[0]?.shape ?? [];
  if (op !== 'Where' || !results.every((v) => v && sameShape(v.shape, whole))) return undefined;
  let v = all;
  while (v && sizeOf(v.shape) !== 1 && /^(Expand|Tile)$/.test(v.node?.op ?? '')) {
    v = v.node?.inputs[0];
  }
  return v && sizeOf(v.shape) === 1 && !v.data ? v : undefined;
}

/** Of choices that depend on others, each has a level above theirs. */
function groupsOf(order: readonly Node[]): Group[] {
  const groups = new Map<string, Group>();
  const levels = new Map<Node, number>();
  for (const node of order) {
    const below = node.inputs.map((v) => (v?.node && levels.get(v.node)) ?? 0);
    const condition = conditionOf(node);
    const level = Math.max(0, ...below) + (condition ? 1 : 0);
    levels.set(node, level);
    if (!condition) continue;
    const key = `${condition.id} ${level}`;
    const { choices } = groups.get(key) ?? { choices: [] };
    groups.set(key, { condition, choices: [...choices, node] });
  }
  return [...groups.values()];
}

type Readers = ReadonlyMap<Value, readonly { readonly node: Node; readonly input: number }[]>;

function readersOf(order: readonly Node[]): Readers {
  const readers = new Map<Value, { node: Node; input: number }[]>();
  for (const node of order) {
    node.inputs.forEach((v, input) => {
      if (v) readers.set(v, [...(readers.get(v) ?? []), { node, input }]);
    });
  }
  return readers;
}

/** The nodes whose results nothing reads but one branch of these choices. */
function ownNodes(
  order: readonly Node[],
  readers: Readers,
  ends: ReadonlySet<Value>,
  { choices }: Group,
  branchInput: number,
): Set<Node> {
  const own = new Set<Node>();
  const isOwn = ({ node, input }: { node: Node; input: number }): boolean =>
    own.has(node) || (input === branchInput && choices.includes(node));
  for (const node of [...order].reverse()) {
    const reads = node.outputs.flatMap((v) => readers.get(v) ?? []);
    if (reads.length === 0 || !reads.every(isOwn)) continue;
    if (node.outputs.every((v) => !ends.has(v))) own.add(node);
  }
  return own;
}

/** The sizes of a shape, asked for when the file runs. */
const isShape = ({ node, dtype }: Value): boolean =>
  dtype === 'int64' &&
  (node?.op === 'Shape' ||
    (/^(Concat|Add|Mul)$/.test(node?.op ?? '') &&
      (node?.inputs ?? []).every((v) => v && (v.data || isShape(v)))));

/** A branch by itself, and the values around it that it takes. */
function bodyOf(own: ReadonlySet<Node>, results: readonly Value[], readers: Readers) {
  const graph = new Graph();
  const taken: Value[] = [];
  const inside = new Map<Value, Value>();
  const isInside = (v: Value): boolean =>
    v.data !== undefined &&
    (v.data.length <= SMALL || (readers.get(v) ?? []).every(({ node }) => own.has(node)));
  const copied = (node: Node): void => {
    graph.origin = node.origin;
    const inputs = node.inputs.map((v) => v && inner(v));
    const outputs = graph.node(node.op, inputs, node.attrs, node.outputs, node.bodies);
    node.outputs.forEach((v, i) => {
      inside.set(v, outputs[i] as Value);
    });
  };
  const inner = (v: Value): Value => {
    const known = inside.get(v);
    if (known) return known;
    if (isInside(v)) inside.set(v, graph.constant(v.data as never, v.shape, v.dtype));
    // Whoever checks the branch's shapes wants to see where sizes come from.
    else if (v.node && isShape(v)) copied(v.node);
    else {
      inside.set(v, graph.input(`taken_${taken.length}`, v.shape, v.dtype));
      taken.push(v);
    }
    return inside.get(v) as Value;
  };
  // They were found from the end.
  for (const node of [...own].reverse()) copied(node);
  results.forEach((v, i) => {
    graph.output(`chosen_${i}`, inner(v));
  });
  return { graph, taken };
}

/** The same graph with other values in the place of some, and without what only these needed. */
function replaced(graph: Graph, by: ReadonlyMap<Value, Value>): Graph {
  const current = (v: Value): Value => by.get(v) ?? v;
  const next = new Graph();
  const renewed = new Map<Value, Value>();
  for (const v of graph.inputs)
    renewed.set(v, next.input(v.name as string, v.shape, v.dtype, v.weight));
  const renew = (old: Value): Value => {
    const v = current(old);
    const known = renewed.get(v);
    if (known) return known;
    const constant = next.constant(v.data as never, v.shape, v.dtype);
    renewed.set(v, constant);
    return constant;
  };
  for (const node of graph.order(current)) {
    next.origin = node.origin;
    const inputs = node.inputs.map((v) => v && renew(v));
    const values = next.node(node.op, inputs, node.attrs, node.outputs, node.bodies);
    node.outputs.forEach((v, i) => {
      renewed.set(v, values[i] as Value);
    });
  }
  for (const { name, value } of graph.outputs) next.output(name, renew(value));
  return next;
}
