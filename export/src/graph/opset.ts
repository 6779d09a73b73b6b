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
const REDUCTIONS = new Set(['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1']);

/** A node in the form that an opset has: axes of reductions may be an attribute there. */
export function inOpset(node: Node, opset: number): Node {
  const axes = node.inputs[1]?.data;
  if (opset >= AXES_AS_INPUT || !REDUCTIONS.has(node.op) || !axes) return node;
  const attrs = { axes: Array.from(axes as BigInt64Array, Number), ...node.attrs };
  return { ...node, inputs: node.inputs.slice(0, 1), attrs };
}

/** The first opset that has a node's operator as it is written. */
const sinceOf = (node: Node): number =>
  Math.max(
    SINCE[node.op]?.(node) ?? FIRST_OPSET,
    ...(node.body?.graph.order() ?? []).map((inner) => sinceOf(inner)),
  );

/**
 * The opset of a graph's file: the lowest possible one, or the one that is asked for.
 * @throws ExportError if no file can have that opset, or this graph's cannot
 */
export function opsetOf(graph: Graph, asked?: number): number {
  const nodes = graph.order();
  const lowest = nodes.reduce((most, node) => Math.max(most, sinceOf(node)), FIRST_OPSET);
  if (asked === undefined) return lowest;
  checkOpset(asked);
  if (asked >= lowest) return asked;
  const { op } = nodes.find((node) => sinceOf(node) === lowest) as Node;
  throw new ExportError(
    `Opset ${asked} is too low for this graph: its operator ${op} needs opset ${lowest}. Ask for ` +
      `${lowest} or more, or for none: then the file has the lowest possible one.`,
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
