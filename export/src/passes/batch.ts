import type { Builder } from '../graph/builder.js';
import type { Graph } from '../graph/graph.js';
import { sameShape } from '../graph/shapes.js';
import type { FreeDimension } from '../graph/stand-ins.js';
import type { BodyGraph, Data, Node, Value } from '../graph/value.js';
import { rewrite, type Visit } from './rewrite.js';

/**
 * One size of a shape: a number, or `times` · `axis` + `plus`, where `axis` is free. Of a result it may be
 * a fraction of the axis, rounded.
 */
export type Extent =
  | number
  | { readonly axis: FreeDimension; readonly times: number; readonly plus: number };

const INT64_MAX = 2n ** 63n - 1n;

/**
 * Makes dimensions free. TF.js computes with numbers, so a traced graph holds the sizes it was
 * traced with, as entries of shapes and as whole numbers computed from them. Comparing it with a
 * second trace at other sizes shows each such place: they are written as −1, as "to the end", or from
 * the size of an input.
 * @throws Error if a number depends on a free size in another way than as a multiple of one, plus or
 *   minus a whole number; or if how many numbers a constant has depends on it
 */
export function freeBatch(graph: Graph, second: Graph, axes: readonly FreeDimension[]): Graph {
  const sizes = compare(graph, second, axes);
  if (sizes.size === 0) return graph;
  const computed = (v: Value, b: Builder): Value | undefined => {
    const found = sizes.get(v);
    if (found?.entries.some((e) => typeof e !== 'number' && !Number.isInteger(e.times)))
      throw bakedIn(found.where, axes);
    return found && b.Reshape(b.Cast(computedShape(b, found.entries), v.dtype), v.shape);
  };
  const visit: Visit = (node, inputs, b) => {
    if (!node.bodies && !node.inputs.some((v) => v && sizes.has(v))) return undefined;
    const moved = node.op === 'Reshape' && movedUnits(b, node, inputs[0] as Value, axes);
    if (moved) return [moved];
    const replaced = node.inputs.map((v, i) => {
      const found = v && sizes.get(v);
      if (!found) return inputs[i];
      const bounds = simpleEntries(node.op, i, found.entries, node.inputs);
      return bounds
        ? b.constant(BigInt64Array.from(bounds), [bounds.length], 'int64')
        : computed(v, b);
    });
    const bodies = node.bodies?.map((body) => ({
      ...body,
      graph: rewrite(body.graph, visit, computed),
    }));
    return b.graph.node(node.op, replaced, node.attrs, node.outputs, bodies);
  };
  return rewrite(graph, visit, computed);
}

/** What a constant holds, and the node that takes it, for an error. */
interface Sizes {
  readonly entries: Extent[];
  readonly where: string;
}

/** The constants that hold the batch, found by walking both graphs in step. */
function compare(graph: Graph, second: Graph, axes: readonly FreeDimension[]): Map<Value, Sizes> {
  const found = new Map<Value, Sizes>();
  const paired = new Map<Value, Value>();
  const pair = (x: Value | undefined, y: Value | undefined, where: string): void => {
    if (!x || !y || paired.get(x) === y) return;
    if (paired.has(x))
      throw new Error(`${where}: two values that are one at one size differ at another`);
    paired.set(x, y);
    x.shape.forEach((d, i) => {
      sizeOf(d, y.shape[i], axes, `the shape of the result of ${where}`);
    });
    if (!x.data || !y.data || sameData(x.data, y.data)) return;
    if (x.data.length !== y.data.length) throw bakedIn(where, axes);
    const other = y.data;
    const entries = Array.from(x.data as ArrayLike<number | bigint>, (v, i) =>
      sizeOf(Number(v), Number(other[i]), axes, where),
    );
    found.set(x, { entries, where });
  };
  const walk = (one: BodyGraph, other: BodyGraph): void => {
    const [nodes, others] = [one.order(), other.order()];
    nodes.forEach((node, i) => {
      const twin = others[i];
      if (node.op !== twin?.op || JSON.stringify(node.attrs) !== JSON.stringify(twin.attrs)) {
        throw branches(shown(node));
      }
      node.inputs.forEach((v, j) => {
        pair(v, twin.inputs[j], shown(node));
      });
      node.outputs.forEach((v, j) => {
        pair(v, twin.outputs[j], shown(node));
      });
      node.bodies?.forEach((body, j) => {
        const other = twin.bodies?.[j];
        if (other) walk(body.graph, other.graph);
      });
    });
    one.outputs.forEach(({ name, value }, i) => {
      if (other.outputs[i]?.name !== name) throw branches(`the output "${name}"`);
      pair(value, other.outputs[i]?.value, `the output "${name}"`);
    });
  };
  walk(graph, second);
  return found;
}

/** A node as a part of a sentence: its operator, and what of the model it was recorded for. */
const shown = ({ op, origin }: Node): string => (origin ? `${op} of ${origin}` : op);

const branches = (where: string): Error =>
  new Error(
    `${where} is traced differently at another batch size: the function branches on the size of its batch, or on another that is free`,
  );

/** A larger multiple of a size, with a number added, is taken for a chance: a square would look like it. */
const MOST = 30;

function extentIn(x: number, y: number, axes: readonly FreeDimension[]): Extent | undefined {
  if (Object.is(x, y)) return x;
  if (!Number.isInteger(x)) return undefined;
  for (const axis of axes) {
    const times = x / axis.size;
    if (Number.isInteger(times) && y === times * axis.other) return { axis, times, plus: 0 };
  }
  for (const axis of axes) {
    // How far the two sizes of an axis are apart is a prime of its own, so that no small multiples of two
    // are alike, unless the prime is itself so small.
    const far = axis.other - axis.size;
    const times = (y - x) / far;
    if (Number.isInteger(times) && Math.abs(times) <= (far > MOST ? MOST : 1))
      return { axis, times, plus: x - times * axis.size };
  }
  return undefined;
}

/** How much smaller strided windows make a result. */
const STRIDES = [2, 4, 8, 16, 32];

/**
 * What a size or number is, by its value in each of two traces. Strided windows make a result as large as a
 * fraction of an axis. A number that is one cannot be computed, because only the windows know how it was
 * rounded; a reshape needs none if it is its only free size.
 */
export function sizeOf(x: number, y = x, axes: readonly FreeDimension[], where: string): Extent {
  const known = extentIn(x, y, axes);
  if (known !== undefined) return known;
  const fractions = axes.flatMap((axis) =>
    STRIDES.flatMap((stride) =>
      Math.abs(y - x - (axis.other - axis.size) / stride) < 1
        ? [{ axis, times: 1 / stride, plus: x - Math.floor(axis.size / stride) }]
        : [],
    ),
  );
  const [nearest] = fractions.sort((a, b) => Math.abs(a.plus) - Math.abs(b.plus));
  if (nearest) return nearest;
  throw bakedIn(where, axes);
}

function bakedIn(where: string, axes: readonly FreeDimension[]): Error {
  const free = axes.length === 1 ? 'batch' : axes.map(({ name }) => name).join(' or ');
  return new Error(
    `a number that depends on the ${free} size is baked in at ${where}: it would be wrong for every ` +
      `other ${free}. Trace with a fixed size, or compute it with tensors.`,
  );
}

/**
 * A reshape of several free sizes that only moves axes of size 1, such as a change of layout with
 * one channel, by operators that name no size.
 */
function movedUnits(
  b: Builder,
  { inputs, outputs }: Node,
  x: Value,
  axes: readonly FreeDimension[],
): Value | undefined {
  if (axes.length < 2) return undefined;
  const [from, to] = [inputs[0] as Value, outputs[0] as Value];
  const others = (v: Value) => v.shape.filter((d) => d !== 1);
  if (!sameShape(others(from), others(to))) return undefined;
  const units = (v: Value) => b.ints(v.shape.flatMap((d, i) => (d === 1 ? [i] : [])));
  const bare = { shape: others(from), dtype: to.dtype };
  const squeezed = from.shape.includes(1) ? b.op('Squeeze', [x, units(from)], {}, bare)[0] : x;
  return to.shape.includes(1) ? b.op('Unsqueeze', [squeezed, units(to)], {}, to)[0] : squeezed;
}

/** Entries that need no computation: one unknown size of a reshape, a slice that runs to the end. */
function simpleEntries(
  op: string,
  input: number,
  entries: Extent[],
  inputs: readonly (Value | undefined)[],
): bigint[] | undefined {
  const free = entries.filter((e) => typeof e !== 'number');
  if (op === 'Reshape' && free.length === 1) {
    return entries.map((e) => (typeof e === 'number' ? BigInt(e) : -1n));
  }
  if (op === 'Slice' && input === 2) {
    const axes = Array.from(inputs[3]?.data as BigInt64Array, Number);
    const full = ({ axis, times, plus }: Exclude<Extent, number>, i: number) =>
      inputs[0]?.shape[axes[i] as number] === times * axis.size + plus;
    if (entries.every((e, i) => typeof e === 'number' || full(e, i))) {
      return entries.map((e) => (typeof e === 'number' ? BigInt(e) : INT64_MAX));
    }
  }
  return undefined;
}

/** A shape put together when the graph runs, from the sizes of the first inputs that have them. */
function computedShape(b: Builder, entries: Extent[]): Value {
  const parts = entries.map((e) => {
    if (typeof e === 'number') return b.ints([e]);
    const multiple =
      e.times === 1 ? sizeAtRunTime(b, e.axis) : b.Mul(sizeAtRunTime(b, e.axis), b.ints([e.times]));
    return e.plus === 0 ? multiple : b.Add(multiple, b.ints([e.plus]));
  });
  return b.Concat(parts, 0);
}

/**
 * The size that a free dimension has at run time, read from the first value that has it: an input, or
 * the result whose size depends on values. Nothing that has the size was recorded before it.
 */
function sizeAtRunTime(b: Builder, { name, size }: FreeDimension): Value {
  const source = b.graph.find((v) => v.shape.includes(size));
  if (!source) throw new Error(`no input or result has ${name} as one of its sizes`);
  const start = source.shape.indexOf(size);
  const one = { shape: [1], dtype: 'int64' } as const;
  return b.op('Shape', [source], { start, end: start + 1 }, one)[0] as Value;
}

const sameData = (a: Data, b: Data): boolean =>
  a.length === b.length && a.every((x: number | bigint, i: number) => Object.is(x, b[i]));
