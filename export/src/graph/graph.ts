import { checkShapes } from './shape-check.js';
import { sizeOf } from './shapes.js';
import {
  type Attr,
  type Attrs,
  type Body,
  type BodyGraph,
  type Data,
  type DType,
  isConstant,
  type Node,
  type Value,
} from './value.js';

export interface Named {
  readonly name: string;
  readonly value: Value;
}

/**
 * The graph that tracing records: values in static single assignment, nodes named after ONNX
 * operators. Nodes are hash-consed: asking for an operation that is already there gives the same
 * values back, so a forward pass that two gradients need, a constant, an im2col matrix are each
 * in the graph once, whoever asked for them.
 */
export class Graph {
  readonly inputs: Value[] = [];
  readonly outputs: Named[] = [];
  /** The part of a model that new nodes belong to, for messages. */
  origin: string | undefined;
  private nextId = 0;
  private readonly nodes = new Map<string, Node>();
  private readonly constants = new Map<string, Value[]>();

  /** @param weight whether it is a constant by the time the file runs */
  input(name: string, shape: readonly number[], dtype: DType, weight = false): Value {
    const value: Value = { id: this.nextId++, shape, dtype, name, ...(weight && { weight }) };
    this.inputs.push(value);
    return value;
  }

  /** A constant; equal ones (shape, type and bytes) are one value. */
  constant(data: Data, shape: readonly number[], dtype: DType): Value {
    if (data.length !== sizeOf(shape)) {
      throw new Error(`a constant of shape [${shape}] cannot have ${data.length} elements`);
    }
    const bytes = bytesOf(data);
    const key = `${dtype}[${shape}]${hash(bytes)}`;
    const alike = this.constants.get(key) ?? [];
    const found = alike.find((c) => c.data !== undefined && equalBytes(bytesOf(c.data), bytes));
    if (found) return found;
    const value: Value = { id: this.nextId++, shape, dtype, data };
    this.constants.set(key, [...alike, value]);
    return value;
  }

  /** The values of an operation; the same operation on the same values gives the same ones. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    attrs: Attrs,
    outputs: readonly { shape: readonly number[]; dtype: DType }[],
    bodies?: readonly Body[],
  ): readonly Value[] {
    // Two nodes with graphs in them are never compared.
    const key = bodies ? `bodies ${this.nextId}` : this.keyOf(op, inputs, attrs, outputs.length);
    const known = this.nodes.get(key);
    if (known) return known.outputs;
    const values: Value[] = [];
    const node: Node = {
      ...{ op, inputs, attrs, outputs: values, origin: this.origin },
      ...(bodies && { bodies }),
    };
    const weight = !bodies && inputs.length > 0 && inputs.every((v) => !v || isConstant(v));
    for (const { shape, dtype } of outputs) {
      values.push({ id: this.nextId++, shape, dtype, node, ...(weight && { weight }) });
    }
    this.nodes.set(key, node);
    return values;
  }

  private keyOf(
    op: string,
    inputs: readonly (Value | undefined)[],
    attrs: Attrs,
    outputs: number,
  ): string {
    return `${op}(${inputs.map((v) => v?.id ?? '')})${JSON.stringify(attrs)}${outputs}`;
  }

  /** The first value, of the inputs and then of the nodes as they were recorded, that is so. */
  find(isSo: (value: Value) => boolean): Value | undefined {
    const input = this.inputs.find(isSo);
    if (input) return input;
    for (const { outputs } of this.nodes.values()) {
      const found = outputs.find(isSo);
      if (found) return found;
    }
    return undefined;
  }

  output(name: string, value: Value): void {
    this.outputs.push({ name, value });
  }

  /**
   * The nodes that the outputs depend on, each after the nodes it reads: dead ones are gone.
   * @param current what is read in a value's place
   */
  order(current: (value: Value) => Value = (value) => value): Node[] {
    const done = new Set<Node>();
    const ordered: Node[] = [];
    // An explicit stack: a training step is deeper than the call stack allows.
    const stack: { node: Node; expanded: boolean }[] = [];
    for (const { value } of [...this.outputs].reverse()) {
      const { node } = current(value);
      if (node) stack.push({ node, expanded: false });
    }
    for (let top = stack.pop(); top; top = stack.pop()) {
      const { node, expanded } = top;
      if (done.has(node)) continue;
      if (expanded) {
        done.add(node);
        ordered.push(node);
        continue;
      }
      stack.push({ node, expanded: true });
      for (const input of [...node.inputs].reverse()) {
        const read = input && current(input).node;
        if (read && !done.has(read)) stack.push({ node: read, expanded: false });
      }
    }
    return ordered;
  }

  /** How many times each value is read, by nodes and by the graph's outputs. */
  uses(): Map<Value, number> {
    const count = new Map<Value, number>();
    const add = (v: Value) => count.set(v, (count.get(v) ?? 0) + 1);
    for (const node of this.order()) for (const v of node.inputs) if (v) add(v);
    for (const { value } of this.outputs) add(value);
    return count;
  }

  /**
   * Checks what tracing and every pass must keep: each value is computed once and before it is read,
   * inputs are the graph's own, names are unique, and each result has the shape that its operator
   * gives by ONNX's rules.
   * @throws Error that names the first node or name that breaks it; for a wrong shape, the operator,
   *   the recorded shape and the right one
   */
  verify(): void {
    for (const { bodies = [] } of this.order()) {
      for (const body of bodies) asGraph(body.graph).verify();
    }
    const defined = new Set<Value>(this.inputs);
    const names = new Set<string>();
    for (const name of [
      ...this.inputs.map((v) => v.name ?? ''),
      ...this.outputs.map((o) => o.name),
    ]) {
      if (names.has(name))
        throw new Error(`two inputs or outputs of the graph are named "${name}"`);
      names.add(name);
    }
    for (const node of this.order()) {
      for (const input of node.inputs) {
        if (input && !input.data && !defined.has(input)) {
          throw new Error(`${node.op} reads the value %${input.id}, which nothing has computed`);
        }
      }
      for (const output of node.outputs) {
        if (defined.has(output)) throw new Error(`the value %${output.id} is computed twice`);
        if (output.shape.some((d) => !Number.isInteger(d) || d < 0)) {
          throw new Error(`${node.op} gives the impossible shape [${output.shape}]`);
        }
        defined.add(output);
      }
      checkShapes(node);
    }
    for (const { name, value } of this.outputs) {
      if (!value.data && !defined.has(value))
        throw new Error(`the output "${name}" is not computed`);
    }
  }

  /** A readable listing, the same for the same graph: values are numbered in the order printed. */
  toString(): string {
    const names = new Map<Value, string>();
    const nameOf = (v: Value): string => {
      if (v.data)
        return v.data.length === 1
          ? `${v.data[0]}`
          : `${v.dtype}[${v.shape}]#${hash(bytesOf(v.data)).toString(16)}`;
      const known = names.get(v);
      if (known) return known;
      const name = v.name ?? `%${names.size - this.inputs.length}`;
      names.set(v, name);
      return name;
    };
    const typed = (v: Value) => `${nameOf(v)}: ${v.dtype}[${v.shape}]`;
    const lines = this.inputs.map((v) => `input  ${typed(v)}`);
    for (const node of this.order()) {
      const args = node.inputs.map((v) => (v ? nameOf(v) : '_'));
      const attrs = Object.entries(node.attrs).map(([k, v]) => `${k}=${printAttr(v)}`);
      lines.push(
        `${node.outputs.map(typed).join(', ')} = ${node.op}(${[...args, ...attrs].join(', ')})`,
      );
      for (const { graph } of node.bodies ?? []) {
        lines.push(asGraph(graph).toString().replace(/^/gm, '  '));
      }
    }
    for (const { name, value } of this.outputs) lines.push(`output ${name} = ${nameOf(value)}`);
    return lines.join('\n');
  }
}

/** A graph within a node, by itself. */
function asGraph({ inputs, outputs }: BodyGraph): Graph {
  const graph = new Graph();
  graph.inputs.push(...inputs);
  graph.outputs.push(...outputs);
  return graph;
}

const printAttr = (a: Attr): string =>
  typeof a === 'object' && 'float' in a ? `${a.float}f` : Array.isArray(a) ? `[${a}]` : `${a}`;

export function bytesOf(data: Data): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** FNV-1a over 32-bit words and the last bytes: fast, and only a first guess at equality. */
function hash(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  const words = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0;
  const view = new Int32Array(
    bytes.buffer,
    bytes.byteOffset - (words ? 0 : bytes.byteOffset % 4),
    words,
  );
  for (let i = 0; i < words; i++) h = Math.imul(h ^ (view[i] as number), 0x01000193);
  for (let i = words * 4; i < bytes.length; i++)
    h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  return h >>> 0;
}
