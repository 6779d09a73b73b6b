import { type GraphDef, isControl, type NodeDef, nodeOf } from './graph-def.js';

/**
 * TensorFlow 1 writes a branch as nodes that switch a value to one of two ways and merge what comes out.
 * Where the condition depends on values, both ways are computed and the condition chooses.
 *
 * @returns the same graph with a choice for each merge; merges of loops, and of other forms, stay
 */
export function branchesAsChoices(graph: GraphDef): GraphDef {
  const nodes = new Map((graph.node ?? []).map((node) => [node.name, node]));
  const settled = new Set<string>();
  const settle = (name: string): void => {
    if (settled.has(name)) return;
    settled.add(name);
    const merge = nodes.get(name);
    if (merge?.op !== 'Merge') return;
    const ends = (merge.input ?? []).filter((input) => !isControl(input));
    const sides = ends.map((end) => sideOf(end, nodes, settle));
    const [yes, no] = [true, false].map((way) => ends[sides.findIndex((s) => s?.yes === way)]);
    const condition = sides[0]?.condition;
    if (ends.length !== 2 || !yes || !no || !condition) return;
    if (sides.some((side) => side?.condition !== condition)) return;
    const { name: chosen, attr } = merge;
    nodes.set(name, {
      name: chosen,
      op: 'SelectV2',
      input: [condition, yes, no],
      attr: attr ?? {},
    });
  };
  for (const { name, op } of nodes.values()) if (op === 'Merge') settle(name);
  const loops = [...nodes.values()].some(({ op }) => op === 'Enter');
  if (loops || [...nodes.values()].some(({ op }) => op === 'Merge')) return graph;
  const switches = new Set([...nodes.values()].flatMap((n) => (n.op === 'Switch' ? [n.name] : [])));
  const direct = (input: string): string =>
    switches.has(nodeOf(input)) ? input.replace(/:1$/, '') : input;
  return {
    ...graph,
    node: [...nodes.values()].map((node) => ({
      ...node,
      ...(node.op === 'Switch' && { op: 'Identity' }),
      input: (node.op === 'Switch' ? (node.input ?? []).slice(0, 1) : (node.input ?? [])).map(
        direct,
      ),
    })),
  };
}

interface Side {
  readonly condition: string;
  readonly yes: boolean;
}

/** The switch that a value comes from, and by which of its ways; branches within it are passed by. */
function sideOf(
  end: string,
  nodes: ReadonlyMap<string, NodeDef>,
  settle: (merge: string) => void,
): Side | undefined {
  const seen = new Set<string>();
  const waiting = [end];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const name = nodeOf(at);
    if (nodes.get(name)?.op === 'Merge') settle(name);
    const node = nodes.get(name);
    if (!node) continue;
    if (node.op === 'Switch') {
      return { condition: node.input?.[1] as string, yes: at.endsWith(':1') };
    }
    if (seen.has(name)) continue;
    seen.add(name);
    // A choice within the branch: its own switches are not this one's.
    waiting.push(...(node.op === 'SelectV2' ? outside(node, nodes) : (node.input ?? [])));
  }
  return undefined;
}

/** Where the values come from that a choice within a branch switches. */
function outside(choice: NodeDef, nodes: ReadonlyMap<string, NodeDef>): string[] {
  const [condition] = choice.input as [string];
  return [...nodes.values()].flatMap(({ op, input = [] }) =>
    op === 'Switch' && input[1] === condition ? input.slice(0, 1) : [],
  );
}
