import * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../error.js';
import { inspectModel } from '../graph/inspect.js';
import { checkOpset } from '../graph/opset.js';
import { reasonOf } from '../reason.js';
import { enter, here, type Place, shownPlace } from '../trace/place.js';
import {
  type OnnxModel,
  type TensorSpec,
  type Tensors,
  type TraceOptions,
  traceAsync,
} from '../trace/trace.js';
import { fixInputs } from './fixed.js';
import { FREE, type InputShapes, resolveInputs } from './input-shapes.js';
import { loadingReason, loadModel, refusal } from './load.js';
import type { LoadedModel } from './loaded.js';
import { drawFrom, type Random, recordDraws } from './mended/draws.js';
import type { OwnLayers } from './own-layers.js';
import type { ModelFiles, ModelKind } from './source/files.js';
import { startWasm, WASM } from './wasm.js';

/** What the model leaves open, and how to store its weights. */
export interface ConvertOptions {
  /** Sizes of inputs that the model leaves open, by the input's name. */
  readonly inputShapes?: InputShapes;
  /** Store the weights as float16; inputs and outputs stay float32. */
  readonly float16?: boolean;
  /** Which outputs to give, by name, instead of the model's: layers, or nodes of a graph, as well. */
  readonly outputs?: readonly string[] | undefined;
  /** Values of inputs that are no inputs of the file, by the input's name. */
  readonly fix?: Readonly<Record<string, number>>;
  /** What becomes of random numbers that the model draws; without it, such a model is refused. */
  readonly random?: Random | undefined;
  /** Gives the classes of layers that TF.js does not know; for a layers model. */
  readonly layers?: OwnLayers | undefined;
  /** The file's opset, from 13 to 24; by default the lowest that the model's operators allow. */
  readonly opset?: number | undefined;
}

/** A dense tensor, row by row, as a run takes and gives it. */
export interface HostTensor {
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}
/** Tensors by the name of the input or output. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

/** A converted model, with the original beside it to compare with. */
export interface ConvertedModel {
  readonly model: OnnxModel;
  readonly kind: ModelKind;
  /** What the ONNX file takes, by name, in the model's order. */
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  /** In the model's order. */
  readonly outputs: readonly string[];
  /** Sentences that the user should read, for example that the batch had to be fixed. */
  readonly notes: readonly string[];
  readonly float16: boolean;
  /**
   * Runs the original by TF.js's cpu backend, or by the one in WebAssembly, which is quicker.
   * @throws Error if the backend cannot run it, or is not installed
   */
  run(inputs: HostTensors, backend?: 'cpu' | 'wasm'): Promise<Record<string, HostTensor>>;
  /** Frees the original's weights. */
  dispose(): void;
}

/**
 * Converts a model that was read. TF.js itself runs it, and the tracer records what it does.
 *
 * @throws ExportError, one sentence, if sizes are missing, or if the model does something that has no
 *   ONNX form; it names that
 */
export async function convertFiles(
  files: ModelFiles,
  options: ConvertOptions = {},
): Promise<ConvertedModel> {
  const { inputShapes = {}, float16 = false, opset, outputs, fix = {}, random, layers } = options;
  if (opset !== undefined) checkOpset(opset);
  const whole = await loadModel(files, { outputs, starts: Object.keys(inputShapes) }, layers);
  try {
    const loaded = fixInputs(whole, fix);
    const { model, specs, notes } = await traceModel(
      files.path,
      loaded,
      inputShapes,
      { float16, opset },
      random,
    );
    const names = loaded.inputs.map(({ name }) => name);
    const own = names.map((name, i): [string, TensorSpec] => [name, specs[i] as TensorSpec]);
    return {
      model,
      kind: loaded.kind,
      inputs: new Map([...own, ...drawnInputs(model, names)]),
      outputs: outputNames(loaded),
      notes: [...loaded.notes, ...notes],
      float16,
      run: (inputs, backend) => runOriginal(files.path, loaded, inputs, backend),
      dispose: loaded.dispose,
    };
  } catch (error) {
    whole.dispose();
    throw error;
  }
}

/** Inputs that the model does not have, but draws. */
const drawnInputs = (model: OnnxModel, names: readonly string[]): [string, TensorSpec][] =>
  model.graph.inputs.length === names.length
    ? []
    : inspectModel(model.toBytes())
        .inputs.slice(names.length)
        .map(({ name, shape, dtype }) => [
          name,
          { shape: shape as (number | string)[], dtype: dtype as TensorSpec['dtype'] },
        ]);

/** A name can be an input's or an output's, not both: a model may hand an input through. */
const outputNames = ({ inputs, outputs }: LoadedModel): string[] =>
  outputs.map((name) => (inputs.some((input) => input.name === name) ? `${name}_output` : name));

interface Traced {
  readonly model: OnnxModel;
  readonly specs: TensorSpec[];
  readonly notes: string[];
}

async function traceModel(
  path: string,
  loaded: LoadedModel,
  given: InputShapes,
  stored: Pick<TraceOptions, 'float16' | 'opset'>,
  random: Random | undefined,
): Promise<Traced> {
  const options = {
    name: loaded.name,
    doc: `A TensorFlow.js ${loaded.kind} model`,
    names: { inputs: loaded.inputs.map(({ name }) => name), outputs: outputNames(loaded) },
    exactSigmoids: true,
    ...stored,
  };
  const at = (specs: TensorSpec[]): Promise<OnnxModel> =>
    traceAsync(
      (inputs: Tensors<TensorSpec[]>) => {
        drawFrom(random && recordDraws(random));
        return placed(() => loaded.apply(Object.values(inputs)));
      },
      specs,
      options,
    );
  const specs = resolveInputs(loaded.inputs, given);
  try {
    return { model: await at(specs), specs, notes: [] };
  } catch (error) {
    const fixed = specs.map((s) => ({ ...s, shape: s.shape.map((d) => (d === FREE ? 1 : d)) }));
    // Some models work for one batch only, whatever they declare; an asked-for N is an order.
    const asked = Object.values(given).some((shape) => shape.some((d) => typeof d === 'string'));
    const wasFree = specs.some((s) => s.shape.includes(FREE));
    const model = wasFree && !asked ? await at(fixed).catch(() => undefined) : undefined;
    if (!model) {
      throw new ExportError(`${path} cannot be exported: ${whyNot(error, loaded, random)}`, {
        cause: error,
      });
    }
    const notes = [`The batch is fixed at 1, since the model cannot take any: ${reasonOf(error)}.`];
    return { model, specs: fixed, notes };
  }
}

/** The part of the model that cannot be exported, the reason, and what can be done about it. */
function whyNot(error: unknown, loaded: LoadedModel, random: Random | undefined): string {
  if (!(error instanceof Misplaced)) return `${loadingReason(error)}.`;
  const { place } = error;
  const reason = random ? loadingReason(error) : refusal(place, error);
  return [`${shownPlace(place)}: ${reason}.`, loaded.howToCut(place)].join(' ').trimEnd();
}

/** Whatever was thrown while a part of the model ran. */
class Misplaced extends Error {
  constructor(
    readonly place: Place,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Runs a model; an error says in which part it occurred. */
async function placed<T>(run: () => T | Promise<T>): Promise<T> {
  enter(undefined);
  try {
    return await run();
  } catch (error) {
    const place = here();
    throw place ? new Misplaced(place, error) : error;
  } finally {
    enter(undefined);
  }
}

async function runOriginal(
  path: string,
  loaded: LoadedModel,
  inputs: HostTensors,
  backend: 'cpu' | 'wasm' = 'cpu',
): Promise<Record<string, HostTensor>> {
  const previous = tf.engine().backendName;
  if (backend === 'wasm' && !(await startWasm())) {
    throw new Error('TF.js has no backend in WebAssembly here');
  }
  await tf.setBackend(backend === 'wasm' ? WASM : 'cpu');
  tf.engine().startScope('run');
  drawFrom(({ name }) => {
    const { data, shape, dtype } = inputs[name] as HostTensor;
    return tf.tensor(data, [...shape], dtype);
  });
  try {
    const tensors = loaded.inputs.map(({ name }) => {
      const { data, shape, dtype } = inputs[name] as HostTensor;
      return tf.tensor(data, [...shape], dtype);
    });
    const outputs = await loaded.apply(tensors);
    const names = outputNames(loaded);
    return Object.fromEntries(outputs.map((t, i) => [names[i] as string, toHost(t)]));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ExportError(
      `${path} cannot be run by TF.js: a tensor of it is larger than the memory (${reasonOf(error)}); ` +
        'check the sizes of its layers.',
      { cause: error },
    );
  } finally {
    drawFrom(undefined);
    tf.engine().endScope();
    if (previous) await tf.setBackend(previous);
  }
}

const toHost = (t: tf.Tensor): HostTensor => ({
  dtype: t.dtype as HostTensor['dtype'],
  shape: t.shape,
  data: t.dataSync() as HostTensor['data'],
});
