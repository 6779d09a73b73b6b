import { ExportError } from '../error.js';
import type { Graph } from './graph.js';
import type { Node, Value } from './value.js';

/**
 * ONNX's operators change from one opset to the next, and an engine refuses a file whose opset it
 * does not know. A file therefore says the lowest opset that has all of its operators in the form in
 * which they are written.
 */

/** Opset 13 revised nearly every operator: none is written in an older form. */
export const FIRST_OPSET = 13;
/** The newest opset with which all forms written here were tested. */
export const LAST_OPSET = 24;

/** The version of the file format that came with each opset (onnx/docs/Versioning.md). */
const IR_VERSIONS: readonly (readonly [opset: number, version: number])[] = [
  [13, 7],
  [15, 8],
  [19, 9],
  [21, 10],
  [23, 11],
  [24, 12],
];

/** The IR version, that of the file format, which belongs to an opset. */
export const irVersionOf = (opset: number): number =>
  (IR_VERSIONS.findLast(([from]) => opset >= from) as (typeof IR_VERSIONS)[number])[1];

const given =
  (attribute: string, since: number) =>
  ({ attrs }: Node): number =>
    attribute in attrs ? since : FIRST_OPSET;
const integers =
  (since: number) =>
  ({ inputs }: Node): number =>
    (inputs[0] as Value).dtype === 'float32' ? FIRST_OPSET : since;

/** The opset from which an operator exists as it is written here, where that is not the first. */
const SINCE: Readonly<Record<string, (node: Node) => number>> = {
  BitwiseAnd: () => 18,
  Col2Im: () => 18,
  DFT: () => 17,
  Relu: integers(14),
  Reshape: given('allowzero', 14),
  ScatterElements: given('reduction', 16),
  ScatterND: given('reduction', 16),
  Shape: given('start', 15),
};

/** From this opset on reductions take their axes as an input; ReduceSum, alone, does from the first. */
const AXES_AS_INPUT = 18;

/** A node in the forms that older opsets have, where they say the same otherwise. */
const OLDER: Readonly<Record<string, { before: number; write: (node: Node) => Node[] }>> = {
  // Axes of reductions may be an attribute.
  ...Object.fromEntries(
    ['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1'].map((op) => [
      op,
      { before: AXES_AS_INPUT, write: withAxesAsAttribute },
    ]),
  ),
  Shape: { before: 15, write: slicedShape },
  Relu: { before: 14, write: largerThanZero },
};

function withAxesAsAttribute(node: Node): Node[] {
  const axes = node.inputs[1]?.data;
  if (!axes) return [node];
  const attrs = { axes: Array.from(axes as BigInt64Array, Number), ...node.attrs };
  return [{ ...node, inputs: node.inputs.slice(0, 1), attrs }];
}

/** A value that only the file has. */
const constant = (data: BigInt64Array | Int32Array, shape: readonly number[]): Value => ({
  id: -1,
  shape,
  dtype: data instanceof Int32Array ? 'int32' : 'int64',
  data,
});

/** A part of a shape, as a slice of it. */
function slicedShape(node: Node): Node[] {
  const { start, end } = node.attrs as { start?: number; end?: number };
  if (start === undefined) return [node];
  const rank = (node.inputs[0] as Value).shape.length;
  const all: Value = { id: -1, shape: [rank], dtype: 'int64' };
  const bounds = [start, end ?? rank, 0].map((n) => constant(BigInt64Array.of(BigInt(n)), [1]));
  return [
    { ...node, attrs: {}, outputs: [all] },
    { op: 'Slice', inputs: [all, ...bounds], attrs: {}, outputs: node.outputs },
  ];
}

function largerThanZero(node: Node): Node[] {
  const [x] = node.inputs as [Value];
  return x.dtype === 'int32'
    ? [{ ...node, op: 'Max', inputs: [x, constant(Int32Array.of(0), [])] }]
    : [node];
}

/** A node in the form that an opset has. */
export function inOpset(node: Node, opset: number): Node[] {
  const older = OLDER[node.op];
  return older && opset < older.before ? older.write(node) : [node];
}

const ownSince = (node: Node): number => SINCE[node.op]?.(node) ?? FIRST_OPSET;

const nodesWithin = ({ bodies = [] }: Node): Node[] => bodies.flatMap(({ graph }) => graph.order());

/** The first opset that has a node's operator, and those within it, as they are written. */
const sinceOf = (node: Node): number => Math.max(ownSince(node), ...nodesWithin(node).map(sinceOf));

/** The first opset that has them, or what says the same. */
const lowestOf = (node: Node): number =>
  Math.max(...inOpset(node, FIRST_OPSET).map(ownSince), ...nodesWithin(node).map(lowestOf));

/** The node, or one within it, for which an opset is needed. */
function neededBy(nodes: readonly Node[], opset: number): Node {
  const node = nodes.find((each) => lowestOf(each) === opset) as Node;
  const within = nodesWithin(node);
  return within.some((each) => lowestOf(each) === opset) ? neededBy(within, opset) : node;
}

/**
 * The opset of a graph's file: the lowest that has its operators as they are written, or the one that is
 * asked for.
 * @throws ExportError if no file can have that opset, or this graph's cannot
 */
export function opsetOf(graph: Graph, asked?: number): number {
  const nodes = graph.order();
  const lowest = (of: (node: Node) => number): number =>
    nodes.reduce((most, node) => Math.max(most, of(node)), FIRST_OPSET);
  if (asked === undefined) return lowest(sinceOf);
  checkOpset(asked);
  const needed = lowest(lowestOf);
  if (asked >= needed) return asked;
  const { op, origin } = neededBy(nodes, needed);
  throw new ExportError(
    `Opset ${asked} is too low for this graph: its operator ${op}${origin ? `, of ${origin},` : ''} needs opset ${needed}. Ask for ` +
      `${needed} or more, or for none: then the file has the lowest possible one.`,
  );
}

/** @throws ExportError if no file can have this opset */
export function checkOpset(opset: number): void {
  if (Number.isInteger(opset) && opset >= FIRST_OPSET && opset <= LAST_OPSET) return;
  const wrong = opset < FIRST_OPSET ? 'too low' : opset > LAST_OPSET ? 'too high' : 'not one';
  throw new ExportError(
    `Opset ${opset} is ${wrong}: files are written with an opset from ${FIRST_OPSET} to ${LAST_OPSET}.`,
  );
}
