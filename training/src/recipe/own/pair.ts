/** Takes what a user's file or program gives for a generator and a discriminator. */
import type { Network, NetworkOptions, Normal, Pair, Tensors, Weights } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';
import { mapRecord } from '../../records.js';
import { blamed, withoutRandomness } from './sentences.js';

/** What pure functions of one's own are given in addition to their input. */
interface PlainPass {
  readonly training: boolean;
  /** Side inputs by name, [N, size]: `labels`, one-hot. */
  readonly conditions: Tensors;
}

/** A network as two pure functions of TensorFlow.js. */
export interface PlainNetwork {
  /** The shape of one example, without the batch. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Side inputs and their sizes; none unless given. */
  readonly conditions?: Readonly<Record<string, number>>;
  /** Floating-point operations of each layer for one example; unknown unless given. */
  readonly flops?: readonly number[];
  /** The first values of its trained tensors. @param normal gives standard normal numbers */
  init(normal: Normal): Readonly<Record<string, Weights>>;
  /** Its output [N, …outputShape] for an input [N, …inputShape]. */
  apply(params: Tensors, x: Tensor, pass: PlainPass): Tensor;
}

const ROLES = ['generator', 'discriminator'] as const;

/**
 * Makes the pair.
 * @param label names it in errors
 * @throws UserError if something is missing or wrong
 */
export function pairOf(given: unknown, options: NetworkOptions, label: string): Pair {
  const pair = called(given, options, label);
  if (!isRecord(pair)) {
    throw new UserError(
      `${label} must give { generator, discriminator }, or a function that returns them, as its default export.`,
    );
  }
  const [generator, discriminator] = ROLES.map((role) => {
    const where = `${label}: the ${role}`;
    return networkOf(called(pair[role], options, where), where);
  }) as [Network, Network];
  return { generator, discriminator };
}

/** The result, if it is a function of the options. */
function called(given: unknown, options: NetworkOptions, where: string): unknown {
  if (typeof given !== 'function') return given;
  try {
    return withoutRandomness(() => given(options));
  } catch (error) {
    if ((error as Error).name === 'NetworkError') throw error;
    throw blamed(where, 'cannot be made', error);
  }
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null;

const isShape = (x: unknown): x is readonly number[] =>
  Array.isArray(x) && x.every((d) => Number.isInteger(d) && d > 0);

function networkOf(given: unknown, where: string): Network {
  if (!isRecord(given)) throw new UserError(`${where} is missing.`);
  if (typeof given.apply !== 'function') throw new UserError(`${where} has no function apply.`);
  for (const key of ['inputShape', 'outputShape']) {
    if (!isShape(given[key])) {
      throw new UserError(`${where} has no ${key}, a list of sizes without the batch.`);
    }
  }
  if (typeof given.init === 'function')
    return fromFunctions(given as unknown as PlainNetwork, where);
  if (!isRecord(given.params)) {
    throw new UserError(`${where} has neither a function init nor params.`);
  }
  const defaults = { buffers: {}, conditions: {}, noise: {}, flops: UNKNOWN };
  return { ...defaults, ...(given as unknown as Network) };
}

/** So many that a step takes all threads. */
const UNKNOWN = [Number.MAX_VALUE];

function fromFunctions(given: PlainNetwork, where: string): Network {
  const init = (normal: Normal) => {
    const made = starting(given, normal, where);
    for (const [name, tensor] of Object.entries(made)) {
      const count = isShape(tensor?.shape) ? tensor.shape.reduce((a, b) => a * b, 1) : -1;
      if (!(tensor?.data instanceof Float32Array) || tensor.data.length !== count) {
        throw new UserError(
          `${where}: init must give ${name} as { shape, data }, a Float32Array of as many numbers as the shape has.`,
        );
      }
    }
    return made;
  };
  // The shapes are those of any values; what a training starts with is drawn by its seed.
  const shapes = init((count) => new Float32Array(count));
  const { inputShape, outputShape, conditions = {}, flops = UNKNOWN } = given;
  return {
    ...{ inputShape, outputShape, conditions, flops, noise: {}, buffers: {} },
    params: mapRecord(shapes, ({ shape }, as) => ({ shape, start: { kind: 'drawn', init, as } })),
    apply: (params, buffers, x, { training, conditions: given_ = {} }) => ({
      y: given.apply(params, x, { training, conditions: given_ }),
      buffers,
    }),
  };
}

function starting(given: PlainNetwork, normal: Normal, where: string) {
  try {
    return withoutRandomness(() => given.init(normal));
  } catch (error) {
    throw blamed(where, 'cannot be initialized', error);
  }
}
