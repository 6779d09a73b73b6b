import type { Builder } from '../builder.js';
import type { Data, Graph, Value } from '../graph.js';
import { rewrite } from './rewrite.js';

/** Two traces of one function that differ in nothing but the size of the batch. */
export interface Sizes {
  readonly size: number;
  readonly other: number;
}

/** An entry of a shape: a number, or so many times the batch. */
type Entry = number | { readonly times: number };

const INT64_MAX = 2n ** 63n - 1n;

/**
 * Makes the batch free. TF.js computes with numbers, so a traced graph holds the batch it was
 * traced with, as entries of shapes. Comparing it with a second trace at another size shows each
 * such place: they are written as −1, as "to the end", or from the size of an input.
 * @throws Error if a number other than a shape depends on the batch
 */
export function freeBatch(graph: Graph, second: Graph, sizes: Sizes): Graph {
  const shapes = compare(graph, second, sizes);
  if (shapes.size === 0) return graph;
  return rewrite(graph, (node, inputs, b) => {
    const at = node.inputs.findIndex((v) => v && shapes.has(v));
    if (at < 0) return undefined;
    const replaced = node.inputs.map((v, i) => {
      const entries = v && shapes.get(v);
      if (!entries) return inputs[i];
      const bounds = simpleEntries(node.op, i, entries, node.inputs, sizes.size);
      return bounds
        ? b.constant(BigInt64Array.from(bounds), [bounds.length], 'int64')
        : computedShape(b, entries, sizes.size);
    });
    return b.graph.node(node.op, replaced, node.attrs, node.outputs);
  });
}

/** The constants that hold the batch, found by walking both graphs in step. */
function compare(graph: Graph, second: Graph, sizes: Sizes): Map<Value, Entry[]> {
  const found = new Map<Value, Entry[]>();
  const paired = new Map<Value, Value>();
  const pair = (x: Value | undefined, y: Value | undefined, where: string): void => {
    if (!x || !y || paired.get(x) === y) return;
    if (paired.has(x))
      throw new Error(`${where}: two values that are one at one batch size differ at another`);
    paired.set(x, y);
    x.shape.forEach((d, i) => {
      entry(d, y.shape[i], sizes, `the shape of the result of ${where}`);
    });
    if (!x.data || !y.data || sameData(x.data, y.data)) return;
    if (x.dtype !== 'int64' || x.data.length !== y.data.length) throw bakedIn(where);
    const other = y.data;
    found.set(
      x,
      Array.from(x.data as ArrayLike<number | bigint>, (v, i) =>
        entry(Number(v), Number(other[i]), sizes, where),
      ),
    );
  };
  const [nodes, others] = [graph.order(), second.order()];
  nodes.forEach((node, i) => {
    const twin = others[i];
    if (node.op !== twin?.op || JSON.stringify(node.attrs) !== JSON.stringify(twin.attrs)) {
      throw new Error(
        `${node.op} is traced differently at another batch size: the function branches on the size of its batch`,
      );
    }
    node.inputs.forEach((v, j) => {
      pair(v, twin.inputs[j], node.op);
    });
    node.outputs.forEach((v, j) => {
      pair(v, twin.outputs[j], node.op);
    });
  });
  return found;
}

function entry(x: number, y: number | undefined, { size, other }: Sizes, where: string): Entry {
  if (x === y) return x;
  const times = x / size;
  if (Number.isInteger(times) && y === times * other) return { times };
  throw bakedIn(where);
}

const bakedIn = (where: string): Error =>
  new Error(
    `a number that depends on the batch size is baked in at ${where}: it would be wrong for every ` +
      'other batch. Trace with a fixed batch, or compute it with tensors.',
  );

/** Entries that need no computation: one unknown size of a reshape, a slice that runs to the end. */
function simpleEntries(
  op: string,
  input: number,
  entries: Entry[],
  inputs: readonly (Value | undefined)[],
  size: number,
): bigint[] | undefined {
  const free = entries.filter((e) => typeof e !== 'number');
  if (op === 'Reshape' && free.length === 1) {
    return entries.map((e) => (typeof e === 'number' ? BigInt(e) : -1n));
  }
  if (op === 'Slice' && input === 2) {
    const axes = Array.from(inputs[3]?.data as BigInt64Array, Number);
    const full = (e: { times: number }, i: number) =>
      inputs[0]?.shape[axes[i] as number] === e.times * size;
    if (entries.every((e, i) => typeof e === 'number' || full(e, i))) {
      return entries.map((e) => (typeof e === 'number' ? BigInt(e) : INT64_MAX));
    }
  }
  return undefined;
}

/** A shape put together when the graph runs, from the size of the first input that has the batch. */
function computedShape(b: Builder, entries: Entry[], size: number): Value {
  const source = b.graph.inputs.find((v) => v.shape.includes(size));
  if (!source) throw new Error('no input has the batch as one of its sizes');
  const axis = source.shape.indexOf(size);
  const one = { shape: [1], dtype: 'int64' } as const;
  const batch = b.op('Shape', [source], { start: axis, end: axis + 1 }, one)[0] as Value;
  const parts = entries.map((e) =>
    typeof e === 'number' ? b.ints([e]) : e.times === 1 ? batch : b.Mul(batch, b.ints([e.times])),
  );
  return b.Concat(parts, 0);
}

const sameData = (a: Data, b: Data): boolean =>
  a.length === b.length && a.every((x: number | bigint, i: number) => Object.is(x, b[i]));
