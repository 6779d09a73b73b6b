import * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../error.js';
import type { LoadedModel, ModelInput } from './loaded.js';

/**
 * A model some of whose inputs always have the same value, such as `is_training` or `keep_prob`.
 * @param values by the input's name; 1 and 0 are true and false
 * @throws ExportError that names what is no input, or has sizes that are not known
 */
export function fixInputs(
  loaded: LoadedModel,
  values: Readonly<Record<string, number>>,
): LoadedModel {
  const { inputs } = loaded;
  for (const name of Object.keys(values)) {
    const found = inputs.find((input) => input.name === name);
    if (!found) {
      throw new ExportError(
        `The model has no input "${name}" to fix: it has ${inputs.map((input) => `"${input.name}"`).join(', ')}.`,
      );
    }
    if (found.shape?.includes(null)) {
      throw new ExportError(
        `The input "${name}" cannot be fixed, since the model leaves sizes of it open: [${found.shape.map((d) => d ?? '?').join(', ')}].`,
      );
    }
  }
  const isFixed = ({ name }: ModelInput): boolean => Object.hasOwn(values, name);
  return {
    ...loaded,
    inputs: inputs.filter((input) => !isFixed(input)),
    apply(tensors) {
      const given = [...tensors];
      return loaded.apply(
        inputs.map((input) =>
          isFixed(input)
            ? constant(input, values[input.name] as number)
            : (given.shift() as tf.Tensor),
        ),
      );
    },
  };
}

/** Made of values, so that control flow on it is decided as the model is exported. */
function constant({ shape = [], dtype }: ModelInput, value: number): tf.Tensor {
  const sizes = shape as number[];
  return tf.tensor(new Array(tf.util.sizeFromShape(sizes)).fill(value), sizes, dtype);
}
