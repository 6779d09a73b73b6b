/**
 * Today's converter leaves some functions as calls, convolutions in groups for example. TF.js has no such
 * operation: what a function computes takes the place of its call.
 */
import { type FunctionDef, type GraphDef, isControl, type NodeDef, nodeOf } from './graph-def.js';

const CALL = /^(Stateful)?PartitionedCall$/;

const calledBy = ({ attr = {} }: NodeDef): string =>
  ((attr.f ?? {}) as { func?: { name?: string } }).func?.name ?? '';

/** The same graph without calls; one of a function that is not there stays. */
export function callsInlined(graph: GraphDef): GraphDef {
  const functions = graph.library?.function ?? [];
  const known = new Map(functions.map((f) => [f.signature?.name ?? '', f]));
  const inlined = (nodes: readonly NodeDef[]): readonly NodeDef[] => {
    const call = nodes.find((node) => CALL.test(node.op) && known.has(calledBy(node)));
    return call
      ? inlined(withoutCall(nodes, call, known.get(calledBy(call)) as FunctionDef))
      : nodes;
  };
  const all = [...(graph.node ?? []), ...functions.flatMap(({ nodeDef = [] }) => nodeDef)];
  if (!all.some(({ op }) => CALL.test(op))) return graph;
  return {
    ...graph,
    node: inlined(graph.node ?? []),
    library: {
      ...graph.library,
      function: functions.map((f) => {
        // What is asked of a call within a function is asked of the node that keeps its name.
        return { ...f, nodeDef: inlined(f.nodeDef ?? []) };
      }),
    },
  };
}

function withoutCall(
  nodes: readonly NodeDef[],
  call: NodeDef,
  { signature, nodeDef = [], ret = {} }: FunctionDef,
): NodeDef[] {
  const given = (call.input ?? []).filter((input) => !isControl(input));
  const args = new Map(
    (signature?.inputArg ?? []).map(({ name }, i) => [name, given[i] as string]),
  );
  // A constant keeps its name, by which its weight is known.
  const constants = new Set(nodeDef.flatMap(({ name, op }) => (op === 'Const' ? [name] : [])));
  const named = (name: string): string => (constants.has(name) ? name : `${call.name}/${name}`);
  const renamed = (input: string): string => {
    const name = nodeOf(input);
    const mark = isControl(input) ? '^' : '';
    const arg = args.get(name);
    if (arg) return mark ? `^${nodeOf(arg)}` : arg;
    return `${mark}${named(name)}${input.slice(mark.length + name.length)}`;
  };
  const body = nodeDef.map((node) => ({
    ...node,
    name: named(node.name),
    input: (node.input ?? []).map(renamed),
  }));
  const results = (signature?.outputArg ?? []).map(({ name }) => renamed(ret[name] as string));
  const read = (input: string): string => {
    if (isControl(input) || nodeOf(input) !== call.name) return input;
    return results[Number(/:(\d+)$/.exec(input)?.[1] ?? 0)] ?? input;
  };
  const there = new Set(nodes.map(({ name }) => name));
  const own: NodeDef = { name: call.name, op: 'Identity', input: results.slice(0, 1), attr: {} };
  return [
    ...nodes.map((node) =>
      node === call ? own : { ...node, ...(node.input && { input: node.input.map(read) }) },
    ),
    ...body.filter(({ name }) => !there.has(name)),
  ];
}
