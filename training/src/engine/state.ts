/** The state of a step: tensors by path. */
import { flatten, isSpec } from '@gpn/export/trace';
import { UserError } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../records.js';
import type { State, StepInputs } from './types.js';

/** The paths of a step's state, without the leading `state/`. */
export const stateNames = (inputs: StepInputs): string[] =>
  flatten(inputs.state, isSpec, 'state').map(({ name }) => name);

/**
 * The tensors below a path of a state, by the rest of their paths.
 * @param specs the names and the expected shapes
 * @throws UserError if a tensor is missing or has another shape
 */
export const tensorsBelow = (
  state: State,
  path: string,
  specs: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): State =>
  mapRecord(specs, ({ shape }, name) => {
    const found = state[`${path}/${name}`];
    if (found && `${found.shape}` === `${shape}`) return found;
    throw new UserError(
      `The checkpoint does not fit its recipe: ${path}/${name} should have the shape [${shape}].`,
    );
  });

/** Tensors of a state as constants of a graph while it is traced. */
export const constants = (state: State): Record<string, tf.Tensor> =>
  mapRecord(state, ({ data, shape }) => tf.tensor(data as Float32Array, [...shape], 'float32'));
