/** Tries networks of the user's own before a training: what is wrong with one is found here. */
import { spec, type TensorSpec, trace } from '@gpn/export/trace';
import type { Network, Pair, Tensors } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../../records.js';
import { asInputs, dropoutInputs } from '../../steps/state.js';
import { blamed, withoutRandomness } from './sentences.js';

/** Kernels whose gradient TF.js computes from their output, which it then takes for a constant. */
const WRONG_TWICE = ['Tanh', 'Sigmoid', 'Exp', 'Softmax', 'LogSoftmax'] as const;

/** Images of a trial of a step. Not 1, so that what depends on the batch shows. */
const BATCH = 3;

/**
 * Traces both networks as an export and as a step do.
 * @param twice whether the discriminator is differentiated twice, by its images and then by its weights
 * @throws UserError if one of them cannot be trained or exported: where and why
 */
export function tryNetworks(pair: Pair, label: string, twice: boolean): void {
  for (const role of ['generator', 'discriminator'] as const) {
    const where = `${label}: the ${role}`;
    tryExport(pair[role], where);
    tryStep(pair[role], where);
    if (role === 'discriminator' && twice) trySlopes(pair[role], where);
  }
}

/** The function of its tensors, with errors that say where; its output must be as declared. */
const applied =
  (network: Network, training: boolean) =>
  (given: Readonly<Record<string, Tensors>>, x: tf.Tensor): tf.Tensor => {
    const { params = {}, buffers = {}, conditions = {}, noise = {} } = given;
    const found = network.apply(params, buffers, x, { training, conditions, noise });
    const y: unknown = found?.y;
    if (!(y instanceof tf.Tensor)) throw new Error('apply returns no tensor');
    const wanted = [x.shape[0] as number, ...network.outputShape];
    if (`${y.shape}` !== `${wanted}`) {
      const shown = (shape: readonly number[]) => `[N, ${shape.slice(1).join(', ')}]`;
      throw new Error(
        y.shape[0] === wanted[0]
          ? `apply returns ${shown(y.shape)} and not ${shown(wanted)}, its outputShape`
          : `apply returns [${y.shape}] for a batch of ${wanted[0]} and not ${shown(wanted)}, its outputShape`,
      );
    }
    return y;
  };

/** Runs a trial; an error becomes a sentence. */
function tried<T>(where: string, work: () => T): T {
  try {
    return withoutRandomness(work);
  } catch (error) {
    throw blamed(where, 'fails', error);
  }
}

const given = (specs: Network['params']): Tensors =>
  mapRecord(specs, ({ shape }) => tf.fill([...shape], 0.1));

/** As it is exported, with constant weights: the same graph each time, and for any batch. */
function tryExport(network: Network, where: string): void {
  const traced = (batch: number | string) =>
    tried(where, () => {
      const inputs: Record<string, TensorSpec> = { x: spec([batch, ...network.inputShape]) };
      for (const [name, size] of Object.entries(network.conditions)) {
        inputs[name] = spec([batch, size]);
      }
      return trace(({ x, ...conditions }: Record<string, tf.Tensor>) => {
        const all = { params: given(network.params), buffers: given(network.buffers), conditions };
        return { y: applied(network, false)(all, x as tf.Tensor) };
      }, inputs).toBytes();
    });
  if (Buffer.compare(traced(BATCH), traced(BATCH)) !== 0) {
    throw new UserError(
      `${where} computes something else each time it is called: it must depend on nothing but what it is given.`,
    );
  }
  traced('N');
}

const inputsOf = (network: Network) => ({
  params: asInputs(network.params),
  buffers: asInputs(network.buffers),
  x: spec([BATCH, ...network.inputShape]),
  conditions: mapRecord(network.conditions, (size) => spec([BATCH, size])),
  noise: dropoutInputs(network, BATCH),
});

/** Traces the gradients of a number of the network, by its weights and its input. */
const slopes = (
  network: Network,
  names: readonly string[],
  loss: (apply: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) => tf.Tensor,
) =>
  trace(({ params, x, ...rest }: { params: Tensors; x: tf.Tensor }) => {
    const gradients = tf.grads((input: tf.Tensor, ...values: tf.Tensor[]) => {
      const trained = Object.fromEntries(names.map((name, i) => [name, values[i] as tf.Tensor]));
      const all = { ...rest, params: { ...params, ...trained } };
      return loss((v) => applied(network, true)(all, v), input);
    })([x, ...names.map((name) => params[name] as tf.Tensor)]);
    return { gradients };
  }, inputsOf(network) as never);

/** Whatever a loss is, it takes the gradient for every weight and for the input. */
function tryStep(network: Network, where: string): void {
  const by = (names: readonly string[]) => slopes(network, names, (apply, x) => tf.sum(apply(x)));
  try {
    tried(where, () => by(Object.keys(network.params)));
  } catch (error) {
    const unused = /does not depend|Cannot compute gradient of y=f\(x\)/;
    if (!unused.test((error as Error).message)) throw error;
    tried(where, () => {
      const idle = Object.keys(network.params).find((name) => !succeeds(() => by([name])));
      throw new UserError(
        idle !== undefined && succeeds(() => by([]))
          ? `${where} does not use its parameter ${idle}: what it returns does not depend on it.`
          : `${where} does not use its input: what it returns does not depend on it.`,
      );
    });
  }
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** Penalties on slopes differentiate the scores by the images, and the result by the weights. */
function trySlopes(network: Network, where: string): void {
  const all = WRONG_TWICE.flatMap((name) => tf.getGradient(name) ?? []);
  const before = all.map(({ gradFunc }) => gradFunc);
  all.forEach((config, i) => {
    config.gradFunc = () => {
      throw new Error(`the second derivative of ${WRONG_TWICE[i]}`);
    };
  });
  try {
    tried(where, () =>
      slopes(network, Object.keys(network.params), (apply, x) => {
        const steep = tf.grad((v: tf.Tensor) => tf.sum(apply(v)))(x);
        return tf.add(tf.sum(apply(x)), tf.sum(tf.square(steep)));
      }),
    );
  } finally {
    all.forEach((config, i) => {
      config.gradFunc = before[i] as (typeof all)[number]['gradFunc'];
    });
  }
}
