import type * as tf from '@tensorflow/tfjs-core';
import { encode } from '../graph/encode.js';
import type { Graph } from '../graph/graph.js';
import { encodeRepeated } from '../graph/repeat.js';
import { type FreeDimension, freeDimensions, StandIns } from '../graph/stand-ins.js';
import { type Extent, freeBatch, sizeOf } from '../passes/batch.js';
import { branch } from '../passes/choice.js';
import { halveWeights } from '../passes/float16.js';
import { writeSigmoids } from '../passes/sigmoid.js';
import { checkOneImage } from './one-image.js';
import {
  calls,
  callsAsync,
  type FileNames,
  isSpec,
  type Recording,
  record,
  recordAsync,
  recorder,
  type Sizing,
  type TensorSpec,
  verified,
} from './record.js';
import { flatten } from './structure.js';

export { isSpec, isTensor, type TensorSpec } from './record.js';

/**
 * Describes an input of a traced function.
 * @param shape sizes, or names for dimensions that are free in the file
 */
export const spec = (
  shape: readonly (number | string)[],
  dtype: TensorSpec['dtype'] = 'float32',
): TensorSpec => ({
  shape,
  dtype,
});

/** The type of a nested structure of specs with a tensor for each leaf. */
export type Tensors<S> = S extends TensorSpec ? tf.Tensor : { [K in keyof S]: Tensors<S[K]> };

/** What to call things in the file, and how to store the weights. */
export interface TraceOptions {
  /** The graph's name in the file. */
  readonly name?: string;
  readonly doc?: string;
  /** Entries of the model's `metadata_props`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly names?: FileNames;
  /** Store large float32 weights as float16: half the file, inputs and outputs stay float32. */
  readonly float16?: boolean;
  /**
   * Write sigmoids that are outputs, or are compared, by an exponential: ONNX Runtime's operator gives
   * multiples of 2⁻²⁵ on a CPU.
   */
  readonly exactSigmoids?: boolean;
  /**
   * The opset of the file, from 13 to 24; by default the lowest that the graph's operators allow. Too
   * low a one is an ExportError when the bytes are made.
   */
  readonly opset?: number | undefined;
}

/** A traced function: the graph, and the bytes of its .onnx file. */
export interface OnnxModel {
  readonly graph: Graph;
  /** The .onnx file, with metadata that may be added after tracing. */
  toBytes(metadata?: Readonly<Record<string, string>>): Uint8Array;
  /**
   * The file of a graph that runs several times in one call, as ONNX's Loop; the input `times`, an
   * int64 scalar, says how often.
   * @param carried inputs that each run takes from the run before it, each with the name of the
   *   output that it takes. Every other input and output has one more axis in front, the runs'.
   * @throws Error if the graph has no output of such a name
   */
  toRepeatedBytes(carried: ReadonlyMap<string, string>): Uint8Array;
  /** A listing for people and for tests; equal graphs print alike. */
  toString(): string;
}

/**
 * Runs a function of tensors and records the ONNX graph that computes the same. Gradients taken
 * inside it and updates computed in it are recorded like everything else.
 *
 * @param fn takes the structure of `inputs` with tensors as leaves; gives a tensor, or records and
 *   arrays of them. It runs once if all sizes are numbers, and three times, at other sizes, if a dimension
 *   is free: it has to be pure. It must do its work with TF.js operations: reading a tensor's values or
 *   drawing random numbers inside it is refused.
 * @param inputs shapes and types; leaves are named by their path, `params/conv1/kernel`. At most four
 *   different names of dimensions.
 * @throws Error that names the operation if it has no ONNX form, or if a number that depends on a
 *   free dimension would become a constant
 */
export function trace<S extends object>(
  fn: (inputs: Tensors<S>) => object,
  inputs: S,
  options: TraceOptions = {},
): OnnxModel {
  const axes = freeAxes(inputs);
  const call = (tensors: object): object => fn(tensors as Tensors<S>);
  const first = record(recorder(inputs, firstSizes(axes), options), call);
  const { free } = first;
  const second = free.length > 0 && record(recorder(inputs, otherSizes(axes, free), options), call);
  const model = assemble(first, second || undefined, { name: fn.name, ...options });
  const single = oneImage(inputs, axes, free);
  if (single) checkOneImage(first.calls, calls(recorder(inputs, single, options), call));
  return model;
}

/**
 * `trace` for a function that awaits, such as a model whose control flow reads constants. It runs the
 * function as often, and throws the same errors. Nothing else may use TF.js before the promise
 * settles.
 */
export async function traceAsync<S extends object>(
  fn: (inputs: Tensors<S>) => object | Promise<object>,
  inputs: S,
  options: TraceOptions = {},
): Promise<OnnxModel> {
  const axes = freeAxes(inputs);
  const call = (tensors: object): object | Promise<object> => fn(tensors as Tensors<S>);
  const first = await recordAsync(recorder(inputs, firstSizes(axes), options), call);
  const { free } = first;
  const second =
    free.length > 0 && (await recordAsync(recorder(inputs, otherSizes(axes, free), options), call));
  const model = assemble(first, second || undefined, { name: fn.name, ...options });
  const single = oneImage(inputs, axes, free);
  if (single) checkOneImage(first.calls, await callsAsync(recorder(inputs, single, options), call));
  return model;
}

/** The inputs' dimensions that are free, in the order in which they are named. */
function freeAxes(inputs: object): FreeDimension[] {
  const names = flatten(inputs, isSpec, 'input').flatMap(({ leaf }) =>
    leaf.shape.filter((d) => typeof d === 'string'),
  );
  return freeDimensions([...new Set(names)]);
}

function assemble(
  { graph: first, free }: Recording,
  second: Recording | undefined,
  options: TraceOptions,
): OnnxModel {
  const freed = second ? verified(freeBatch(first, second.graph, free)) : first;
  const exact = options.exactSigmoids ? verified(writeSigmoids(freed)) : freed;
  const stored = options.float16 ? verified(halveWeights(exact)) : exact;
  const graph = verified(branch(stored));
  const names = second ? dimensions(first, second.graph, free) : new Map<number, string>();
  const dim = (size: number): number | string => names.get(size) ?? size;
  const { name, doc = '', opset } = options;
  const common = { name: name || 'traced', doc, dim, opset };
  return {
    graph,
    toBytes: (metadata = {}) =>
      encode(graph, { ...common, metadata: { ...options.metadata, ...metadata } }),
    toRepeatedBytes: (carried) => encodeRepeated(graph, carried, common),
    toString: () => graph.toString(),
  };
}

/** What to call the sizes of the graph's values that are free: `N`, `2N`, `H-3`, `H/2-1`. */
function dimensions(
  first: Graph,
  second: Graph,
  axes: readonly FreeDimension[],
): Map<number, string> {
  const names = new Map<number, string>();
  const values = (graph: Graph) => [
    ...graph.inputs,
    ...graph.order().flatMap(({ outputs }) => outputs),
  ];
  const others = values(second);
  values(first).forEach(({ shape }, i) => {
    shape.forEach((size, k) => {
      const found = sizeOf(size, others[i]?.shape[k], axes, 'a value');
      if (typeof found !== 'number') names.set(size, dimensionName(found));
    });
  });
  return names;
}

const dimensionName = ({ axis: { name }, times, plus }: Exclude<Extent, number>): string =>
  `${factor(times, name)}${plus > 0 ? '+' : ''}${plus === 0 ? '' : plus}`;

const factor = (times: number, name: string): string =>
  Number.isInteger(times) ? `${times === 1 ? '' : times}${name}` : `${name}/${1 / times}`;

const firstSizes = (axes: readonly FreeDimension[]): Sizing => ({
  standIns: new StandIns(axes, 'size'),
  sizes: new Map(axes.map(({ name, size }) => [name, size])),
});

/** @param known what the first run found to be free */
const otherSizes = (axes: readonly FreeDimension[], known: readonly FreeDimension[]): Sizing => ({
  standIns: new StandIns(axes, 'other', known),
  sizes: new Map(axes.map(({ name, other }) => [name, other])),
});

/** Those of a single image: what is free and comes first in an input is 1. Undefined if nothing does. */
function oneImage(
  inputs: object,
  axes: readonly FreeDimension[],
  known: readonly FreeDimension[],
): Sizing | undefined {
  const leading = new Set(flatten(inputs, isSpec, 'input').map(({ leaf }) => leaf.shape[0]));
  const isKept = ({ name }: FreeDimension): boolean => !leading.has(name);
  if (axes.every(isKept)) return undefined;
  return {
    standIns: new StandIns(axes.filter(isKept), 'size', known.filter(isKept)),
    sizes: new Map(axes.map((axis) => [axis.name, isKept(axis) ? axis.size : 1])),
  };
}
