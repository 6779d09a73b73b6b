import { Builder } from '../graph/builder.js';
import { Graph } from '../graph/graph.js';
import type { Attrs, BodyGraph, Node, Value } from '../graph/value.js';

/**
 * What to put in a node's place: given its inputs in the new graph, the values for its outputs, or
 * nothing to keep it.
 */
export type Visit = (
  node: Node,
  inputs: readonly (Value | undefined)[],
  b: Builder,
) => readonly Value[] | undefined;

/**
 * Builds a new graph, node by node, in the order in which they were recorded; nodes that nothing reads
 * any more are left out.
 * @param end what to put in the place of one of the graph's outputs, or nothing to keep it
 */
export function rewrite(
  graph: BodyGraph,
  visit: Visit,
  end: (output: Value, b: Builder) => Value | undefined = () => undefined,
): Graph {
  const b = new Builder(new Graph());
  const renewed = new Map<Value, Value>();
  const renew = (v: Value): Value => {
    const known = renewed.get(v);
    if (known) return known;
    if (!v.data) throw new Error(`%${v.id} is read before it is computed`);
    const constant = b.constant(v.data, v.shape, v.dtype);
    renewed.set(v, constant);
    return constant;
  };
  for (const v of graph.inputs) {
    renewed.set(v, b.graph.input(v.name as string, v.shape, v.dtype, v.weight));
  }
  const recorded = (node: Node): number => (node.outputs[0] as Value).id;
  for (const node of graph.order().sort((a, c) => recorded(a) - recorded(c))) {
    b.graph.origin = node.origin;
    const inputs = node.inputs.map((v) => v && renew(v));
    const outputs =
      visit(node, inputs, b) ??
      b.graph.node(node.op, inputs, node.attrs, node.outputs, node.bodies);
    node.outputs.forEach((v, i) => {
      renewed.set(v, outputs[i] as Value);
    });
  }
  for (const { name, value } of graph.outputs) {
    b.graph.output(name, end(value, b) ?? renew(value));
  }
  return b.graph;
}

/** The same operator with other inputs; attributes and results stay. */
export function withInputs(
  b: Builder,
  node: Node,
  inputs: readonly (Value | undefined)[],
  attrs: Attrs = node.attrs,
): Value {
  return b.op(node.op, inputs, attrs, ...node.outputs)[0] as Value;
}
