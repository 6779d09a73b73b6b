import * as tf from '@tensorflow/tfjs-core';
import { Builder } from '../graph/builder.js';
import { encode } from '../graph/encode.js';
import { Graph } from '../graph/graph.js';
import { encodeRepeated } from '../graph/repeat.js';
import { type FreeDimension, freeDimensions, StandIns } from '../graph/stand-ins.js';
import type { Value } from '../graph/value.js';
import { view } from '../graph/view.js';
import { foldAffine } from '../passes/affine.js';
import { type Extent, freeBatch, sizeOf } from '../passes/batch.js';
import { branch } from '../passes/choice.js';
import { halveWeights } from '../passes/float16.js';
import { fuseBias } from '../passes/gemm.js';
import { hoistScale } from '../passes/scale.js';
import { writeSigmoids } from '../passes/sigmoid.js';
import { BACKEND, type TraceBackend } from './backend.js';
import { checkOneImage } from './one-image.js';
import { recordRecurrentLayers } from './recurrent.js';
import { flatten, mapLeaves } from './structure.js';

recordRecurrentLayers();

/** The shape and type of an input; dimensions given by a name, such as 'N', are free in the file. */
export interface TensorSpec {
  readonly shape: readonly (number | string)[];
  /** uint8 inputs are float32 tensors to the traced function, of the values 0 to 255. */
  readonly dtype: 'float32' | 'int32' | 'bool' | 'uint8';
}

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
  /** Names in the file, in the order of the leaves; their paths unless given. */
  readonly names?: { readonly inputs?: readonly string[]; readonly outputs?: readonly string[] };
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
 * The passes that make a graph smaller, in this order:
 *
 * 1. `foldAffine` takes constant scales and biases into constant weights. It comes first so that the
 *    others see only what cannot be folded.
 * 2. `fuseBias` joins a product and a bias that is left, one that is not constant, to a Gemm.
 * 3. `hoistScale` turns a multiplication by a power of two into the attribute `alpha` of a product
 *    without a bias. It comes after `fuseBias` because it makes each such product a Gemm, which
 *    `fuseBias` would no longer recognise.
 *
 * More passes follow in `assemble`. `freeBatch` compares the two traces and replaces the
 * stand-ins; it comes after the passes above because they write shapes, in which the stand-ins would
 * appear again. `writeSigmoids` is for networks alone, so it is asked for. `halveWeights` comes last because it puts a Cast before each weight, which is then no
 * constant that another pass could fold, and `branch` after it, because passes do not look into branches.
 */
const PASSES = [foldAffine, fuseBias, hoistScale];

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

/** What one run of a function recorded. */
interface Recording {
  readonly graph: Graph;
  /** The kernels of TF.js that it called. */
  readonly calls: readonly string[];
  /** The dimensions that have stand-ins, which the second run needs to find. */
  readonly free: readonly FreeDimension[];
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

function verified(graph: Graph): Graph {
  graph.verify();
  return graph;
}

/** One run of a function on the recording backend. */
interface Recorder {
  /** The function's inputs, as tensors that stand for them. */
  readonly begin: () => object;
  readonly end: (outputs: object) => void;
  /** Gives TF.js its backend back. */
  readonly stop: () => void;
  readonly graph: Graph;
  readonly standIns: StandIns;
  /** The kernels that were called so far. */
  readonly calls: () => readonly string[];
}

/** At which sizes a function runs. */
interface Sizing {
  readonly standIns: StandIns;
  /** Those of the inputs' free dimensions, by name. */
  readonly sizes: ReadonlyMap<string, number>;
}

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

function recorder(
  inputs: object,
  { standIns, sizes }: Sizing,
  { names = {} }: TraceOptions,
): Recorder {
  const builder = new Builder(new Graph(), standIns);
  // Asking for the backend makes TF.js choose one, if none was chosen yet.
  tf.backend();
  const previous = tf.getBackend();
  // Both backends start synchronously, so the promise is settled when the call returns.
  void tf.setBackend(BACKEND);
  const backend = tf.backend() as TraceBackend;
  backend.start(builder);
  let next = 0;
  return {
    begin: () =>
      mapLeaves<TensorSpec, tf.Tensor>(
        inputs,
        isSpec,
        (leaf, path) =>
          backend.tensor(view(input(builder, names.inputs?.[next++] ?? path, leaf, sizes))),
        'input',
      ) as object,
    end: (outputs) => {
      flatten(outputs, isTensor, 'output').forEach(({ name, leaf }, i) => {
        const v = backend.viewOf(leaf);
        const value = v.perm ? builder.Transpose(v.value, v.perm) : v.value;
        builder.graph.output(names.outputs?.[i] ?? name, value);
      });
    },
    stop: () => {
      backend.stop();
      void tf.setBackend(previous);
    },
    graph: builder.graph,
    standIns,
    calls: () => backend.calls,
  };
}

/**
 * A graph is verified as recorded and after each pass, for users too: for the training step of
 * dcgan-mnist (1,208 nodes) checking the shapes once took 0.35 and 0.65 % of the time of the trace, so
 * the four times take 1.4 to 2.6 %.
 */
const optimised = (graph: Graph): Graph =>
  PASSES.reduce((done, pass) => verified(pass(done)), verified(graph));

function record(run: Recorder, fn: (inputs: object) => object): Recording {
  try {
    tf.engine().tidy(() => run.end(fn(run.begin())));
  } finally {
    run.stop();
  }
  return recordingOf(run);
}

const recordingOf = (run: Recorder): Recording => ({
  graph: optimised(run.graph),
  calls: run.calls(),
  free: run.standIns.dimensions,
});

async function recordAsync(
  run: Recorder,
  fn: (inputs: object) => object | Promise<object>,
): Promise<Recording> {
  tf.engine().startScope();
  try {
    run.end(await fn(run.begin()));
  } finally {
    tf.engine().endScope();
    run.stop();
  }
  return recordingOf(run);
}

/** The kernels that a run calls; undefined if it fails, because not every function takes such sizes. */
function calls(run: Recorder, fn: (inputs: object) => object): readonly string[] | undefined {
  try {
    tf.engine().tidy(() => {
      fn(run.begin());
    });
    return run.calls();
  } catch {
    return undefined;
  } finally {
    run.stop();
  }
}

async function callsAsync(
  run: Recorder,
  fn: (inputs: object) => object | Promise<object>,
): Promise<readonly string[] | undefined> {
  tf.engine().startScope();
  try {
    await fn(run.begin());
    return run.calls();
  } catch {
    return undefined;
  } finally {
    tf.engine().endScope();
    run.stop();
  }
}

function input(
  b: Builder,
  name: string,
  { shape, dtype }: TensorSpec,
  sizes: Sizing['sizes'],
): Value {
  const traced = shape.map((d) => (typeof d === 'string' ? (sizes.get(d) as number) : d));
  const value = b.graph.input(name, traced, dtype);
  return dtype === 'uint8' ? b.Cast(value, 'float32') : value;
}

/** Whether this is a leaf of a traced function's inputs. */
export const isSpec = (x: unknown): x is TensorSpec =>
  typeof x === 'object' && x !== null && 'shape' in x && 'dtype' in x;
/** Whether this is a TF.js tensor, a leaf of a traced function's outputs. */
export const isTensor = (x: unknown): x is tf.Tensor => x instanceof tf.Tensor;
