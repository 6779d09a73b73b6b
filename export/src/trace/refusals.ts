/** What a trace cannot take, said by the operation in which it occurs. */
import * as tf from '@tensorflow/tfjs-core';

/** TF.js's names of the operations that fill a tensor with JavaScript's random numbers. */
const RANDOM_SCOPES = new Set([
  'dropout',
  'multinomial',
  'rand',
  'randomGamma',
  'randomNormal',
  'randomStandardNormal',
  'randomUniform',
  'randomUniformInt',
  'truncatedNormal',
]);

/** Kernels that draw random numbers themselves. */
export const RANDOM_KERNELS = new Set(['Multinomial']);

/** The operation of TF.js that is being recorded, as far as TF.js says it. */
function scopes(): string[] {
  const { activeScope, scopeStack } = tf.engine().state;
  return [...scopeStack, activeScope].flatMap((s) =>
    s?.name && s.name !== 'unnamed scope' ? [s.name.replace(/__op$/, '')] : [],
  );
}

export function during(): string {
  const name = scopes().at(-1);
  return name ? ` (in ${name})` : '';
}

export function refuseRandomness(): void {
  const scope = scopes().find((name) => RANDOM_SCOPES.has(name));
  if (!scope) return;
  throw new Error(
    `tf.${scope} was called inside a traced function. Its numbers would be the same at every run ` +
      'of the ONNX file: draw them outside and pass them in as an input.',
  );
}

export const noLowering = (kernel: string): string =>
  `TF.js's kernel ${kernel}${during()} has no ONNX form here, so the function cannot be traced. ` +
  'Write that part with other operations, compute it outside and pass the result in as an input, ' +
  'or add a lowering (see CONTRIBUTING.md, "Add an operator").';
