/** The state of a step, as tensors by path. */
import { flatten, isSpec } from '@gpn/export';
import type { TensorData } from '@gpn/runtime';
import type { State, StepInputs } from './types.js';

/** The tensors of a step's state, by path without the leading `state/`. */
export const stateNames = (inputs: StepInputs): string[] =>
  flatten(inputs.state, isSpec, 'state').map(({ name }) => name);

/** These tensors of a state and no others. @throws Error if one is missing */
export function pickState(state: State, names: readonly string[]): State {
  const missing = names.find((name) => !state[name]);
  if (missing) throw new Error(`the state lacks ${missing}`);
  return Object.fromEntries(names.map((name) => [name, state[name] as TensorData]));
}
