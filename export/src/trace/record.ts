/** One run of a function on the recording backend. */
import * as tf from '@tensorflow/tfjs-core';
import { Builder } from '../graph/builder.js';
import { Graph } from '../graph/graph.js';
import type { FreeDimension, StandIns } from '../graph/stand-ins.js';
import type { Value } from '../graph/value.js';
import { view } from '../graph/view.js';
import { foldAffine } from '../passes/affine.js';
import { fuseBias } from '../passes/gemm.js';
import { hoistScale } from '../passes/scale.js';
import { BACKEND, type TraceBackend } from './backend.js';
import { flatten, mapLeaves } from './structure.js';

/** The shape and type of an input; dimensions given by a name, such as 'N', are free in the file. */
export interface TensorSpec {
  readonly shape: readonly (number | string)[];
  /** uint8 inputs are float32 tensors to the traced function, of the values 0 to 255. */
  readonly dtype: 'float32' | 'int32' | 'bool' | 'uint8';
  /**
   * Whether it is given to the file as a constant before the file runs: the graph is then that of a
   * network whose weights are known.
   */
  readonly weight?: boolean;
}

/** Names in the file, in the order of the leaves; their paths unless given. */
export interface FileNames {
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

/** What one run of a function recorded. */
export interface Recording {
  readonly graph: Graph;
  /** The kernels of TF.js that it called. */
  readonly calls: readonly string[];
  /** The dimensions that have stand-ins, which the second run needs to find. */
  readonly free: readonly FreeDimension[];
}

/** One run of a function on the recording backend. */
export interface Recorder {
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
export interface Sizing {
  readonly standIns: StandIns;
  /** Those of the inputs' free dimensions, by name. */
  readonly sizes: ReadonlyMap<string, number>;
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
 * More passes follow in `assemble` of trace.ts. `freeBatch` compares the two traces and replaces the
 * stand-ins; it comes after the passes above because they write shapes, in which the stand-ins would
 * appear again. `writeSigmoids` is for networks alone, so it is asked for. `halveWeights` comes after them
 * because it puts a Cast before each weight, which is then no constant that another pass could fold, and
 * `branch` comes last, because passes do not look into branches.
 */
const PASSES = [foldAffine, fuseBias, hoistScale];

export function verified(graph: Graph): Graph {
  graph.verify();
  return graph;
}

/** @param names of the inputs and outputs in the file, in the order of the leaves */
export function recorder(
  inputs: object,
  { standIns, sizes }: Sizing,
  { names = {} }: { readonly names?: FileNames },
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

export function record(run: Recorder, fn: (inputs: object) => object): Recording {
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

export async function recordAsync(
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
export function calls(
  run: Recorder,
  fn: (inputs: object) => object,
): readonly string[] | undefined {
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

export async function callsAsync(
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
  { shape, dtype, weight }: TensorSpec,
  sizes: Sizing['sizes'],
): Value {
  const traced = shape.map((d) => (typeof d === 'string' ? (sizes.get(d) as number) : d));
  const value = b.graph.input(name, traced, dtype, weight);
  return dtype === 'uint8' ? b.Cast(value, 'float32') : value;
}

/** Whether this is a leaf of a traced function's inputs. */
export const isSpec = (x: unknown): x is TensorSpec =>
  typeof x === 'object' && x !== null && 'shape' in x && 'dtype' in x;
/** Whether this is a TF.js tensor, a leaf of a traced function's outputs. */
export const isTensor = (x: unknown): x is tf.Tensor => x instanceof tf.Tensor;
