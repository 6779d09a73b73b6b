/**
 * TensorFlow 1 writes a loop as nodes that enter a frame, merge, switch, and go round; TensorFlow 2, as
 * one node, While, with two functions. TF.js cannot run some graphs of the first kind that its own
 * converter makes of LSTM and GRU layers, so that loops of the first kind are brought into the second.
 */
import type { GraphDef, NodeDef } from './graph-def.js';
import { isControl, nodeOf } from './graph-def.js';

/** One variable of a loop, by the nodes that it passes in a round. */
interface Variable {
  readonly enter: NodeDef;
  readonly merge: NodeDef;
  /** Absent where nothing reads the variable in the body or after the loop. */
  readonly change: NodeDef | undefined;
  readonly next: NodeDef;
  readonly exits: readonly NodeDef[];
}

interface Loop {
  readonly name: string;
  readonly variables: readonly Variable[];
  /** What the loop reads and does not change. */
  readonly constants: readonly NodeDef[];
  /** The node that says whether another round follows. */
  readonly condition: NodeDef;
}

type Nodes = ReadonlyMap<string, NodeDef>;

/** The same graph with While for each frame; a frame of another form than TensorFlow's stays. */
export function loopsAsFunctions(graph: GraphDef): GraphDef {
  const loops = framesOf(graph.node ?? []);
  for (const name of loops) {
    const nodes = new Map((graph.node ?? []).map((node) => [node.name, node]));
    const loop = loopOf(name, nodes);
    const changed = loop && withWhile(graph, nodes, loop);
    // A frame within a frame comes first: in its turn, it is a node of the outer one.
    if (changed) return loopsAsFunctions(changed);
  }
  return graph;
}

const attr = (node: NodeDef, key: string): Record<string, unknown> =>
  (node.attr?.[key] ?? {}) as Record<string, unknown>;

const frameOf = (node: NodeDef): string => JSON.stringify(attr(node, 'frame_name').s ?? '');

const framesOf = (nodes: readonly NodeDef[]): string[] => [
  ...new Set(nodes.filter(({ op }) => op === 'Enter').map(frameOf)),
];

const inputsOf = (node: NodeDef): string[] => (node.input ?? []).filter((i) => !isControl(i));

function loopOf(name: string, nodes: Nodes): Loop | undefined {
  const all = [...nodes.values()];
  const enters = all.filter((node) => node.op === 'Enter' && frameOf(node) === name);
  const readers = (of: NodeDef, op: string): NodeDef[] =>
    all.filter((node) => node.op === op && inputsOf(node).some((i) => nodeOf(i) === of.name));
  const variables = enters.flatMap((enter): Variable[] =>
    readers(enter, 'Merge').flatMap((merge) => {
      const [change] = readers(merge, 'Switch');
      const next = inputsOf(merge)
        .map((i) => nodes.get(nodeOf(i)))
        .find((node) => node?.op === 'NextIteration');
      const exits = change ? readers(change, 'Exit') : [];
      return next ? [{ enter, merge, change, next, exits }] : [];
    }),
  );
  const conditions = new Set(
    variables.flatMap(({ change }) => (change ? [nodeOf(inputsOf(change)[1] as string)] : [])),
  );
  const [condition] = [...conditions].map((at) => nodes.get(at));
  if (conditions.size !== 1 || condition?.op !== 'LoopCond') return undefined;
  const constants = enters.filter((enter) => variables.every((v) => v.enter !== enter));
  return { name, variables, constants, condition };
}

/** The nodes of a part of a loop, and what they are called there that comes from outside of it. */
interface Part {
  readonly nodes: NodeDef[];
  readonly complete: boolean;
}

/** All that `ends` depend on, back to the loop's variables. */
function partOf(ends: readonly string[], names: ReadonlyMap<string, string>, nodes: Nodes): Part {
  const found = new Map<string, NodeDef>();
  const waiting = [...ends];
  for (let end = waiting.pop(); end !== undefined; end = waiting.pop()) {
    const name = nodeOf(end);
    if (names.has(end) || names.has(name) || found.has(name)) continue;
    const node = nodes.get(name);
    if (!node || FRAME.has(node.op)) return { nodes: [], complete: false };
    const inputs = inputsOf(node);
    found.set(name, { ...node, input: inputs.map((i) => names.get(i) ?? i) });
    waiting.push(...inputs);
  }
  return { nodes: [...found.values()], complete: true };
}

const FRAME = new Set(['Enter', 'Exit', 'NextIteration', 'Merge', 'Switch', 'LoopCond']);

function withWhile(graph: GraphDef, nodes: Nodes, loop: Loop): GraphDef | undefined {
  const { variables, constants, condition } = loop;
  const taken = [...variables.map(({ enter }) => enter), ...constants];
  const argument = (i: number): string => `argument_${i}`;
  const constantNames = constants.map((enter, i): [string, string] => [
    enter.name,
    argument(variables.length + i),
  ]);
  const merged = variables.map(({ merge }, i): [string, string] => [merge.name, argument(i)]);
  const changed = variables.flatMap(({ change }, i): [string, string][] =>
    change ? [[`${change.name}:1`, argument(i)]] : [],
  );
  const inCondition = new Map([...constantNames, ...merged]);
  const inBody = new Map([...constantNames, ...changed]);
  const nexts = variables.map(({ next }) => inputsOf(next)[0] as string);
  const asked = inputsOf(condition)[0] as string;
  const parts = [partOf([asked], inCondition, nodes), partOf(nexts, inBody, nodes)] as const;
  if (parts.some(({ complete }) => !complete)) return undefined;
  const label = `loop_${graph.library?.function?.length ?? 0}`;
  const types = taken.map((enter) => String(attr(enter, 'T').type ?? 'DT_FLOAT'));
  const define = (name: string, { nodes: body }: Part, results: readonly string[]) => ({
    signature: {
      name,
      inputArg: types.map((type, i) => ({ name: argument(i), type })),
      outputArg: results.map((_, i) => ({ name: `result_${i}`, type: types[i] })),
    },
    // Each result has a node of its own: TF.js takes one output of a node.
    nodeDef: [
      ...body,
      ...results.map((result, i) => ({
        name: `result_${i}`,
        op: 'Identity',
        input: [result],
        attr: {},
      })),
    ],
    ret: Object.fromEntries(results.map((_, i) => [`result_${i}`, `result_${i}`])),
  });
  const [test, body] = parts;
  const functions = [
    define(`${label}_condition`, test, [inCondition.get(asked) ?? asked]),
    define(`${label}_body`, body, [
      ...nexts.map((next) => inBody.get(next) ?? next),
      ...constants.map((_, i) => argument(variables.length + i)),
    ]),
  ];
  const node: NodeDef = {
    name: label,
    op: 'StatelessWhile',
    input: taken.map((enter) => inputsOf(enter)[0] as string),
    attr: {
      cond: { func: { name: `${label}_condition` } },
      body: { func: { name: `${label}_body` } },
      T: { list: { type: types } },
    },
  };
  const exits = variables.flatMap(({ exits: ends }, i) =>
    ends.map((exit): NodeDef => ({ ...exit, op: 'Identity', input: [`${label}:${i}`] })),
  );
  const inside = new Set(parts.flatMap((part) => part.nodes.map(({ name }) => name)));
  const gone = new Set([
    ...variables.flatMap((v) => [v.enter, v.merge, v.change, v.next, ...v.exits]),
    ...constants,
    condition,
  ]);
  const kept = [...nodes.values()].filter(
    (n) => !gone.has(n) && (n.op === 'Const' || !inside.has(n.name)),
  );
  return withoutLooseEnds({
    ...graph,
    node: [...kept, node, ...exits],
    library: { ...graph.library, function: [...(graph.library?.function ?? []), ...functions] },
  });
}

/** Without edges from nodes that are gone, and without nodes that only such edges held. */
function withoutLooseEnds(graph: GraphDef): GraphDef {
  const nodes = graph.node ?? [];
  const there = new Set(nodes.map(({ name }) => name));
  const left = nodes.filter((node) => inputsOf(node).every((i) => there.has(nodeOf(i))));
  const names = new Set(left.map(({ name }) => name));
  return {
    ...graph,
    node: left.map((node) => ({
      ...node,
      ...(node.input && { input: node.input.filter((i) => names.has(nodeOf(i))) }),
    })),
  };
}
