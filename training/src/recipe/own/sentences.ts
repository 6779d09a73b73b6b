/** What is wrong with a network of the user's own, in a sentence. */
import { reasonOf, UserError } from '@gpn/runtime';

const RANDOM = 'Math.random was called';

/** Runs what must not draw random numbers. Synchronous. */
export function withoutRandomness<T>(work: () => T): T {
  const { random } = Math;
  Math.random = () => {
    throw new Error(RANDOM);
  };
  try {
    return work();
  } finally {
    Math.random = random;
  }
}

/** Errors of tracing and differentiating, and what they say of a network. */
const REASONS: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /Math\.random was called|called inside a traced function/,
    () =>
      'draws random numbers (by Math.random or an operation such as tf.randomNormal), which a graph would repeat at every step: its latents are its random input',
  ],
  [
    /values of a tensor were read[^.]*/,
    () =>
      'reads the values of a tensor (by dataSync, data, arraySync or array), which are known only when the graph runs: compute with tensors instead',
  ],
  [
    /kernel (\w+)[^.]* has no ONNX form/,
    ([, kernel]) =>
      `uses ${kernel} of TensorFlow.js, which has no ONNX form here: OPS.md lists what has one`,
  ],
  [
    /gradient function not found for (\w+)/,
    ([, kernel]) =>
      `uses ${kernel} of TensorFlow.js, which has no gradient: write that part with other operations`,
  ],
  [
    /depends on the batch size is baked in at (\w+)/,
    ([, operator]) =>
      `is made for one size of the batch (at ${operator}), but an exported network takes any: take the size from the shape of the input`,
  ],
  [
    /second derivative of (\w+)/,
    ([, kernel]) =>
      `uses ${kernel} of TensorFlow.js, whose second derivative is wrong there, and a penalty on slopes needs it: take relu, leakyRelu or softmax of @gpn/models/layers, or leave out the penalty`,
  ],
];

/** The layers that an error's message begins with: `the layer residual1: the layer conv2: …`. */
const LAYERS = /^(?:the layer (\S+): )+/;

/** A UserError that says where: which file, which network, which layer. */
export function blamed(where: string, fallback: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const text = reasonOf(error).split('\n')[0] as string;
  const [layers = ''] = LAYERS.exec(text) ?? [];
  const path = [...layers.matchAll(/the layer (\S+): /g)].map(([, name]) => name).join('/');
  const rest = text.slice(layers.length);
  const within = path === '' ? '' : `, in the layer ${path},`;
  for (const [pattern, sentence] of REASONS) {
    const found = pattern.exec(rest);
    if (found) return new UserError(`${where}${within} ${sentence(found)}.`);
  }
  return new UserError(`${where}${within} ${fallback}: ${rest.replace(/\.$/, '')}.`);
}
