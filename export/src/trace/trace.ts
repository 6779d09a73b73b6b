import * as tf from '@tensorflow/tfjs-core';
import { Builder } from '../graph/builder.js';
import { encode } from '../graph/encode.js';
import { Graph } from '../graph/graph.js';
import { encodeRepeated } from '../graph/repeat.js';
import type { Value } from '../graph/value.js';
import { view } from '../graph/view.js';
import { foldAffine } from '../passes/affine.js';
import { type Extent, extentOf, type FreeDimension, freeBatch } from '../passes/batch.js';
import { halveWeights } from '../passes/float16.js';
import { fuseBias } from '../passes/gemm.js';
import { hoistScale } from '../passes/scale.js';
import { BACKEND, type TraceBackend } from './backend.js';
import { flatten, mapLeaves } from './structure.js';

/** The shape and type of an input; dimensions given by names, such as 'N', are free. */
export interface TensorSpec {
  readonly shape: readonly (number | string)[];
  /** uint8 inputs are float32 tensors to the traced function, of the values 0 to 255. */
  readonly dtype: 'float32' | 'int32' | 'bool' | 'uint8';
}

export const spec = (
  shape: readonly (number | string)[],
  dtype: TensorSpec['dtype'] = 'float32',
): TensorSpec => ({
  shape,
  dtype,
});

/** The same nested structure with a tensor for each leaf. */
export type Tensors<S> = S extends TensorSpec ? tf.Tensor : { [K in keyof S]: Tensors<S[K]> };

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
}

export interface OnnxModel {
  readonly graph: Graph;
  /** The .onnx file, with metadata that may be added after tracing. */
  toBytes(metadata?: Readonly<Record<string, string>>): Uint8Array;
  /** The same, to run several times in one call: see `encodeRepeated`. */
  toRepeatedBytes(carried: ReadonlyMap<string, string>): Uint8Array;
  /** A listing for people and for tests; equal graphs print alike. */
  toString(): string;
}

/**
 * Free dimensions are traced at these sizes, the first that is named, the batch, at the first; what
 * differs between the two graphs depends on them. They are primes, larger than a network's own
 * sizes are likely to be multiples of, and no pair is as far apart as a multiple of another.
 */
const SIZES = [
  { size: 4093, other: 4099 },
  { size: 2029, other: 2063 },
  { size: 3011, other: 3049 },
  { size: 1051, other: 1097 },
] as const;

const PASSES = [foldAffine, fuseBias, hoistScale];

/**
 * Runs a function of tensors once, recording the ONNX graph that computes the same. Gradients
 * taken inside it and updates computed in it are recorded like everything else.
 *
 * @param fn takes the structure of `inputs` with tensors as leaves; gives a tensor, or records and
 *   arrays of them.
 *   It must do its work with TF.js operations: reading a tensor's values or drawing random numbers
 *   inside it is refused.
 * @param inputs shapes and types; leaves are named by their path, `params/conv1/kernel`.
 * @throws Error that names the operation, if it has no ONNX form
 */
export function trace<S extends object>(
  fn: (inputs: Tensors<S>) => object,
  inputs: S,
  options: TraceOptions = {},
): OnnxModel {
  const axes = freeAxes(inputs);
  const graphs = traces(axes).map((sizes) =>
    record(recorder(inputs, sizes, options), (tensors) => fn(tensors as Tensors<S>)),
  );
  return assemble(graphs, axes, { name: fn.name, ...options });
}

/**
 * The same for a function that awaits, such as a model whose control flow reads constants. Nothing
 * else may use TF.js before the promise settles.
 */
export async function traceAsync<S extends object>(
  fn: (inputs: Tensors<S>) => object | Promise<object>,
  inputs: S,
  options: TraceOptions = {},
): Promise<OnnxModel> {
  const axes = freeAxes(inputs);
  const graphs: Graph[] = [];
  for (const sizes of traces(axes)) {
    const run = recorder(inputs, sizes, options);
    graphs.push(await recordAsync(run, (tensors) => fn(tensors as Tensors<S>)));
  }
  return assemble(graphs, axes, { name: fn.name, ...options });
}

/** The dimensions that are free, in the order in which they are named. */
function freeAxes(inputs: object): FreeDimension[] {
  const names = flatten(inputs, isSpec, 'input').flatMap(({ leaf }) =>
    leaf.shape.filter((d) => typeof d === 'string'),
  );
  return [...new Set(names)].map((name, i) => {
    const sizes = SIZES[i];
    if (!sizes) throw new Error(`a traced function can have ${SIZES.length} free dimensions`);
    return { name, ...sizes };
  });
}

/** Free dimensions by name, at the sizes of one trace; the first is the batch. */
type Sizes = ReadonlyMap<string, number>;

/** What to trace at: free dimensions take two traces, whose difference shows where they are. */
const traces = (axes: readonly FreeDimension[]): Sizes[] =>
  (axes.length === 0 ? (['size'] as const) : (['size', 'other'] as const)).map(
    (which) => new Map(axes.map((axis) => [axis.name, axis[which]])),
  );

function assemble(
  graphs: readonly Graph[],
  axes: readonly FreeDimension[],
  options: TraceOptions,
): OnnxModel {
  const [first, second] = graphs as [Graph, Graph?];
  // Last, so that no pass writes the size it was traced at anew.
  const freed = second ? verified(freeBatch(first, second, axes)) : first;
  const graph = options.float16 ? verified(halveWeights(freed)) : freed;
  const names = second ? dimensions(first, second, axes) : new Map<number, string>();
  const dim = (size: number): number | string => names.get(size) ?? size;
  const common = { name: options.name || 'traced', doc: options.doc ?? '', dim };
  return {
    graph,
    toBytes: (metadata = {}) =>
      encode(graph, { ...common, metadata: { ...options.metadata, ...metadata } }),
    toRepeatedBytes: (carried) => encodeRepeated(graph, carried, common),
    toString: () => graph.toString(),
  };
}

/** What to call the sizes of inputs and outputs that are free: `N`, `2N`, `H-3`. */
function dimensions(
  first: Graph,
  second: Graph,
  axes: readonly FreeDimension[],
): Map<number, string> {
  const names = new Map<number, string>();
  const ends = ({ inputs, outputs }: Graph) => [...inputs, ...outputs.map(({ value }) => value)];
  const others = ends(second);
  ends(first).forEach(({ shape }, i) => {
    shape.forEach((size, k) => {
      const found = extentOf(size, others[i]?.shape[k], axes, 'an output');
      if (typeof found !== 'number') names.set(size, dimensionName(found));
    });
  });
  return names;
}

const dimensionName = ({ axis: { name }, times, plus }: Exclude<Extent, number>): string =>
  `${times === 1 ? '' : times}${name}${plus > 0 ? '+' : ''}${plus === 0 ? '' : plus}`;

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
}

/** @param sizes those at which free dimensions are traced */
function recorder(inputs: object, sizes: Sizes, { names = {} }: TraceOptions): Recorder {
  const builder = new Builder(new Graph(), sizes.size === 0);
  // Asking for the backend makes TF.js choose one, if none was chosen yet.
  tf.backend();
  const previous = tf.getBackend();
  // Both backends start synchronously, so the promise is settled when the call returns.
  void tf.setBackend(BACKEND);
  const backend = tf.backend() as TraceBackend;
  backend.start(builder, sizes.values().next().value);
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
  };
}

const optimised = (graph: Graph): Graph =>
  PASSES.reduce((done, pass) => verified(pass(done)), verified(graph));

function record(run: Recorder, fn: (inputs: object) => object): Graph {
  try {
    tf.engine().tidy(() => run.end(fn(run.begin())));
  } finally {
    run.stop();
  }
  return optimised(run.graph);
}

async function recordAsync(
  run: Recorder,
  fn: (inputs: object) => object | Promise<object>,
): Promise<Graph> {
  tf.engine().startScope();
  try {
    run.end(await fn(run.begin()));
  } finally {
    tf.engine().endScope();
    run.stop();
  }
  return optimised(run.graph);
}

function input(b: Builder, name: string, { shape, dtype }: TensorSpec, sizes: Sizes): Value {
  const traced = shape.map((d) => (typeof d === 'string' ? (sizes.get(d) as number) : d));
  const value = b.graph.input(name, traced, dtype);
  return dtype === 'uint8' ? b.Cast(value, 'float32') : value;
}

export const isSpec = (x: unknown): x is TensorSpec =>
  typeof x === 'object' && x !== null && 'shape' in x && 'dtype' in x;
export const isTensor = (x: unknown): x is tf.Tensor => x instanceof tf.Tensor;
