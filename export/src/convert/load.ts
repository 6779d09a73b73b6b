/** Makes a runnable TF.js model of what was read from disk. */
import * as tf from '@tensorflow/tfjs-core';
import '../trace/cpu.js';
import { ExportError } from '../error.js';
import { reasonOf } from '../reason.js';
import type { ModelFiles, ModelKind } from './disk.js';
import { graphRunner } from './graph/runner.js';
import { asKeras2 } from './keras.js';
import { mendGru } from './mended/gru.js';
import { checkTopology } from './topology.js';

export interface ModelInput {
  readonly name: string;
  /** Sizes; null where the model leaves one open. Undefined where not even the rank is known. */
  readonly shape: readonly (number | null)[] | undefined;
  readonly dtype: 'float32' | 'int32' | 'bool';
}

export interface LoadedModel {
  readonly kind: ModelKind;
  readonly name: string;
  readonly inputs: readonly ModelInput[];
  readonly outputs: readonly string[];
  /** Takes tensors in the order of `inputs`, gives them in that of `outputs`. */
  readonly apply: (inputs: tf.Tensor[]) => tf.Tensor[] | Promise<tf.Tensor[]>;
  readonly dispose: () => void;
}

/** @throws ExportError if TF.js cannot make a model of the files */
export async function loadModel(files: ModelFiles): Promise<LoadedModel> {
  const previous = tf.engine().backendName;
  await tf.setBackend('cpu');
  try {
    return await LOADERS[files.kind](files);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError(`TF.js cannot load ${files.path}: ${loadingReason(error)}.`, {
      cause: error,
    });
  } finally {
    if (previous) await tf.setBackend(previous);
  }
}

/** What TF.js's own code says when a part of the file is not what it takes for granted. */
const INNER =
  /Cannot (read|set|convert|use)|is not (a function|iterable|an? \w+ constructor)|\bundefined\b|Maximum call stack|Invalid (array|typed array) length|allocation failed/i;

/**
 * Why TF.js failed, as a part of a sentence. An error of the language says nothing about the file but
 * that it is damaged.
 */
export const loadingReason = (error: unknown): string => {
  const reason = reasonOf(error);
  return reason === '' || INNER.test(reason)
    ? 'a part of it is missing or damaged; save or download it again'
    : reason;
};

mendGru();

const LOADERS: Readonly<Record<ModelKind, (files: ModelFiles) => Promise<LoadedModel>>> = {
  async layers({ path, artifacts: found }) {
    const { loadLayersModel, Sequential } = await import('@tensorflow/tfjs-layers');
    const artifacts = asKeras2(found);
    checkTopology(path, artifacts.modelTopology as object);
    const model = await loadLayersModel({ load: async () => artifacts });
    // A list of layers knows its inputs by name only when it is built.
    if (model instanceof Sequential) model.build();
    return {
      kind: 'layers',
      name: model.name,
      inputs: model.inputs.map(({ shape, dtype }, i) => ({
        name: model.inputNames[i] as string,
        shape,
        dtype: checked(path, model.inputNames[i] as string, dtype),
      })),
      outputs: unique(model.outputNames),
      apply(inputs) {
        // A stateful layer starts each run from its first state, as a fresh model does.
        model.resetStates();
        const outputs = model.apply(inputs.length === 1 ? (inputs[0] as tf.Tensor) : inputs, {
          training: false,
        });
        return [outputs].flat() as tf.Tensor[];
      },
      dispose: () => model.dispose(),
    };
  },

  async graph({ path, artifacts }) {
    const runner = await graphRunner(artifacts);
    const { model } = runner;
    const { inputs, inputNodes, outputNodes } = model;
    const signature = (model.modelSignature ?? {}) as Signature;
    return {
      kind: 'graph',
      name: 'graph-model',
      inputs: inputs.map(({ name, shape, dtype }, i) => ({
        name: plain(inputNodes[i] as string),
        shape: declared(shape, signature.inputs?.[inputNodes[i] as string]),
        dtype: checked(path, name, dtype),
      })),
      outputs: unique(outputNodes.map(plain)),
      apply(tensors) {
        const feeds = Object.fromEntries(
          inputs.map(({ name }, i) => [name, tensors[i] as tf.Tensor]),
        );
        return runner.execute(feeds, outputNodes);
      },
      dispose: () => runner.dispose(),
    };
  },
};

interface Signature {
  readonly inputs?: Readonly<Record<string, SignatureInput>>;
}
interface SignatureInput {
  readonly tensorShape?: {
    readonly dim?: readonly { readonly size?: string | number }[];
    readonly unknownRank?: boolean;
  };
}

/** The placeholder's shape; where it has none, the signature's. Sizes unknown to TF are −1. */
function declared(
  placeholder: readonly number[] | undefined,
  input: SignatureInput | undefined,
): (number | null)[] | undefined {
  const { dim, unknownRank } = input?.tensorShape ?? {};
  const sizes =
    placeholder ?? (unknownRank ? undefined : dim?.map(({ size }) => Number(size ?? 0)));
  return sizes?.map((d) => (d === null || d < 0 ? null : d));
}

/** A tensor's first output goes without saying. */
const plain = (name: string): string => name.replace(/:0$/, '');

/** Tells apart outputs of one name, such as those of a layer that is applied twice. */
function unique(names: readonly string[]): string[] {
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before ? `${name}_${before}` : name;
  });
}

function checked(path: string, name: string, dtype: tf.DataType | undefined): ModelInput['dtype'] {
  if (dtype === undefined || dtype === 'float32') return 'float32';
  if (dtype === 'int32' || dtype === 'bool') return dtype;
  throw new ExportError(
    `The input "${name}" of ${path} takes ${dtype} tensors: only float32, int32 and bool can be exported.`,
  );
}
