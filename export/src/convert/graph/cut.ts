/** Which part of a graph model an output needs, and where to cut if a part cannot be exported. */

import { type GraphDef, type NodeDef, nodeOf } from './graph-def.js';

export type Nodes = ReadonlyMap<string, NodeDef>;

export const nodesOf = (topology: GraphDef): Nodes =>
  new Map((topology.node ?? []).map((node) => [node.name, node]));

type Typed = { readonly type?: unknown } | undefined;

/** Attributes that say of which type a node's result is, the first that a node has. */
const TYPES = ['Tout', 'DstT', 'out_type', 'output_type', 'dtype', 'T'];

/** Whether a node gives floats, whole numbers or truths, as far as its attributes say it. */
export function typeOf(nodes: Nodes, name: string): 'float32' | 'int32' | 'bool' {
  const { attr = {} } = nodes.get(nodeOf(name)) ?? {};
  const key = TYPES.find((type) => (attr[type] as Typed)?.type !== undefined);
  const type = String(key && (attr[key] as Typed)?.type);
  if (/INT|^(3|9)$/.test(type)) return 'int32';
  return /BOOL|^10$/.test(type) ? 'bool' : 'float32';
}

/** The nodes that tensors depend on, their own included; what goes into `starts` is left out. */
export function upstream(
  nodes: Nodes,
  tensors: readonly string[],
  starts: ReadonlySet<string> = new Set(),
): Set<string> {
  const found = new Set<string>();
  const open = tensors.map(nodeOf);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    if (!starts.has(name)) open.push(...(nodes.get(name)?.input ?? []).map(nodeOf));
  }
  return found;
}

interface Output {
  readonly name: string;
  readonly tensor: string;
}

/** What has no tensor for a value, or one of a loop that is not over. */
const NO_END = /^(Const|Placeholder.*|.*HashTable.*|Enter|NextIteration|Switch|LoopCond|NoOp)$/;

/** What hangs on a node that cannot be exported, and how to leave it out. */
export function howToCut(nodes: Nodes, outputs: readonly Output[], culprit: string): string {
  const node = nodes.get(culprit);
  if (!node) return '';
  const hanging = outputs.filter(({ tensor }) => upstream(nodes, [tensor]).has(culprit));
  const free = outputs.filter((output) => !hanging.includes(output));
  const names = (list: readonly Output[]): string => list.map(({ name }) => name).join(',');
  const before = (node.input ?? []).filter((tensor) => {
    const source = nodes.get(nodeOf(tensor));
    return !tensor.startsWith('^') && source && !NO_END.test(source.op);
  });
  const ways = [
    free.length > 0 ? `--outputs ${names(free)} leaves that out` : '',
    before.length > 0 ? `--outputs ${before.join(',')} ends the file before it` : '',
    `--input-shape ${culprit}=SIZES begins the file after it`,
  ].filter((way) => way !== '');
  return `On it hangs ${names(hanging)}: ${ways.join(', ')}.`;
}
