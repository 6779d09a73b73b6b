import type * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../error.js';
import type { Place } from '../trace/place.js';
import type { ModelKind } from './source/files.js';

export interface ModelInput {
  readonly name: string;
  /** Sizes; null where the model leaves one open. Undefined where not even the rank is known. */
  readonly shape: readonly (number | null)[] | undefined;
  readonly dtype: 'float32' | 'int32' | 'bool';
}

export interface LoadedModel {
  readonly kind: ModelKind;
  /** Sentences that the user should read. */
  readonly notes: readonly string[];
  readonly name: string;
  readonly inputs: readonly ModelInput[];
  readonly outputs: readonly string[];
  /** Takes tensors in the order of `inputs`, gives them in that of `outputs`. */
  readonly apply: (inputs: tf.Tensor[]) => tf.Tensor[] | Promise<tf.Tensor[]>;
  /** What hangs on a part that cannot be exported, and how to leave it out; empty if there is no way. */
  readonly howToCut: (place: Place) => string;
  readonly dispose: () => void;
}

/** Which part of a model to take. */
export interface Cut {
  /** Outputs, layers, or nodes of a graph, instead of the model's outputs. */
  readonly outputs?: readonly string[] | undefined;
  /** Names with a shape: inputs, or nodes of a graph at which to begin. */
  readonly starts?: readonly string[];
}

/** Tells apart outputs of one name, such as those of a layer that is applied twice. */
export function unique(names: readonly string[]): string[] {
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before ? `${name}_${before}` : name;
  });
}

export function checked(
  path: string,
  name: string,
  dtype: tf.DataType | undefined,
): ModelInput['dtype'] {
  if (dtype === undefined || dtype === 'float32') return 'float32';
  if (dtype === 'int32' || dtype === 'bool') return dtype;
  throw new ExportError(
    `The input "${name}" of ${path} takes ${dtype} tensors: only float32, int32 and bool can be exported.`,
  );
}
