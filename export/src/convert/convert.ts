import * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../error.js';
import { checkOpset } from '../graph/opset.js';
import { reasonOf } from '../reason.js';
import {
  type OnnxModel,
  type TensorSpec,
  type Tensors,
  type TraceOptions,
  traceAsync,
} from '../trace/trace.js';
import { type ModelKind, readModel } from './disk.js';
import { FREE, type InputShapes, resolveInputs } from './input-shapes.js';
import { type LoadedModel, loadingReason, loadModel } from './load.js';

/** What the model leaves open, and how to store its weights. */
export interface ConvertOptions {
  /** Sizes of inputs that the model leaves open, by the input's name. */
  readonly inputShapes?: InputShapes;
  /** Store the weights as float16; inputs and outputs stay float32. */
  readonly float16?: boolean;
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
  /** Runs the original by TF.js's cpu backend. */
  run(inputs: HostTensors): Promise<Record<string, HostTensor>>;
  /** Frees the original's weights. */
  dispose(): void;
}

/**
 * Converts a TF.js model, a layers model or a graph model, to ONNX. TF.js itself runs the model,
 * and the tracer records what it does.
 *
 * @param path a model.json with its weight files beside it, or the folder of one
 * @throws ExportError, one sentence, if the files are damaged, if sizes are missing, or if the model
 *   does something that has no ONNX form; it names that
 */
export async function convertModel(
  path: string,
  { inputShapes = {}, float16 = false, opset }: ConvertOptions = {},
): Promise<ConvertedModel> {
  if (opset !== undefined) checkOpset(opset);
  const files = await readModel(path);
  const loaded = await loadModel(files);
  try {
    const { model, specs, notes } = await traceModel(files.path, loaded, inputShapes, {
      float16,
      opset,
    });
    const names = loaded.inputs.map(({ name }) => name);
    return {
      model,
      kind: loaded.kind,
      inputs: new Map(names.map((name, i) => [name, specs[i] as TensorSpec])),
      outputs: outputNames(loaded),
      notes,
      float16,
      run: (inputs) => runOnCpu(files.path, loaded, inputs),
      dispose: loaded.dispose,
    };
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}

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
): Promise<Traced> {
  const options = {
    name: loaded.name,
    doc: `A TensorFlow.js ${loaded.kind} model`,
    names: { inputs: loaded.inputs.map(({ name }) => name), outputs: outputNames(loaded) },
    ...stored,
  };
  const at = async (specs: TensorSpec[]): Promise<OnnxModel> =>
    traceAsync(
      (inputs: Tensors<TensorSpec[]>) => loaded.apply(Object.values(inputs)),
      specs,
      options,
    );
  const specs = resolveInputs(loaded.inputs, given);
  try {
    return { model: await at(specs), specs, notes: [] };
  } catch (error) {
    const fixed = specs.map((s) => ({ ...s, shape: s.shape.map((d) => (d === FREE ? 1 : d)) }));
    // Some models work for one batch only, whatever they declare; an asked-for N is an order.
    const asked = Object.values(given).some((shape) => shape.includes(FREE));
    const wasFree = specs.some((s) => s.shape.includes(FREE));
    const model = wasFree && !asked ? await at(fixed).catch(() => undefined) : undefined;
    if (!model) {
      throw new ExportError(`${path} cannot be exported: ${loadingReason(error)}.`, {
        cause: error,
      });
    }
    const notes = [`The batch is fixed at 1, since the model cannot take any: ${reasonOf(error)}.`];
    return { model, specs: fixed, notes };
  }
}

async function runOnCpu(
  path: string,
  loaded: LoadedModel,
  inputs: HostTensors,
): Promise<Record<string, HostTensor>> {
  const previous = tf.engine().backendName;
  await tf.setBackend('cpu');
  tf.engine().startScope('run');
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
    tf.engine().endScope();
    if (previous) await tf.setBackend(previous);
  }
}

const toHost = (t: tf.Tensor): HostTensor => ({
  dtype: t.dtype as HostTensor['dtype'],
  shape: t.shape,
  data: t.dataSync() as HostTensor['data'],
});
