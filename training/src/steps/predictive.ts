/** Generative Predictive Networks: a fragment discriminator learns alone, then trains a generator. */
import { spec, type Tensors as TensorsOf } from '@gpn/export/trace';
import type { Network } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import { type FragmentSize, sideOf } from '../data/fragments/corners.js';
import type { Optimizer } from '../gan/optimizers.js';
import type { Trainee } from './adversarial.js';
import { differentiate, scoresAndSlopes } from './gradients.js';
import { likeness } from './likeness.js';
import { asInputs, dropoutInputs, frozen, learn, rateInputs, trainee } from './state.js';

/** The networks and settings of the discriminator's step. */
export interface FragmentSettings {
  /** Of one fragment, or of a patch: it then judges many at once. */
  readonly discriminator: Network;
  readonly optimizer: Optimizer;
  readonly size: FragmentSize;
  /** Number of fragments of images, real and altered, or of patches. */
  readonly count: number;
  /** Weight γ of the R1 penalty on real fragments; none by default. */
  readonly r1?: number | undefined;
  /** A frozen generator; fragments of `generated` images of it are negatives as well. */
  readonly rival?: { readonly generator: Network; readonly generated: number } | undefined;
}

/** The specs of the discriminator step's inputs. */
export function fragmentInputs({ discriminator, optimizer, size, count, rival }: FragmentSettings) {
  const [down = 1, across = 1] = discriminator.outputShape;
  const rows = count * down * across + (rival?.generated ?? 0);
  const side = sideOf(size);
  return {
    state: {
      ...asInputs({ discriminator: trainee(discriminator, optimizer) }),
      ...(rival && { generator: asInputs(frozen(rival.generator)) }),
    },
    batch: {
      /** Fragments, or patches of many; values from 0 to 1. */
      fragments: spec([count, ...discriminator.inputShape]),
      /** 1 for a real fragment, 0 for an altered one, and the weight of each. */
      labels: spec([rows]),
      weights: spec([rows]),
      /** The pixels of the fragment of each generated image; see `fragmentIndices`. */
      ...(rival && { places: spec([rival.generated * side * side], 'int32') }),
    },
    noise: {
      dropout: dropoutInputs(discriminator, rows),
      ...(rival && { latents: spec([rival.generated, ...rival.generator.inputShape]) }),
    },
    rates: rateInputs(optimizer, 'discriminator'),
  };
}
export type FragmentInputs = TensorsOf<ReturnType<typeof fragmentInputs>>;

/**
 * One step of the discriminator: it learns to distinguish real fragments from altered ones, by the
 * weighted softmax cross-entropy of its two logits. With R1, γ/2 times the mean of ‖∇ score‖² over real
 * fragments is added, each with its weight (Mescheder et al. 2018, equation 9).
 */
export const fragmentStep =
  ({ discriminator, optimizer, size, rival, r1 }: FragmentSettings) =>
  ({ state, batch, noise, rates }: FragmentInputs) => {
    const { discriminator: d, generator: g } = state;
    const generated =
      rival && g
        ? fragmentOfEach(
            generateFrozen(rival.generator, g, noise.latents as tf.Tensor),
            batch.places as tf.Tensor,
            size,
          )
        : undefined;
    const shown = generated ? tf.concat([batch.fragments, generated], 0) : batch.fragments;
    const { loss, grads, aux } = differentiate((params) => {
      const pass = { training: true, noise: noise.dropout };
      const judge = (x: tf.Tensor) => {
        const { y, buffers } = discriminator.apply(params, d.buffers, x, pass);
        return { y: margins(y), aux: { buffers } };
      };
      const column = (x: tf.Tensor) => {
        const { y, aux } = judge(x);
        return { y: tf.reshape(y, [-1, 1]), aux };
      };
      const { y, aux, slopes } = r1
        ? scoresAndSlopes(column, shown)
        : { ...judge(shown), slopes: undefined };
      const entropy = logisticLosses(tf.reshape(y, [-1]), batch.labels);
      const loss = averaged(entropy, batch.weights);
      const real = tf.mul(batch.labels, batch.weights);
      const squares = slopes && tf.sum(tf.square(slopes), [1, 2, 3]);
      const penalty = squares && tf.mul((r1 as number) / 2, averaged(squares, real));
      return { loss: penalty ? tf.add(loss, penalty) : loss, aux };
    }, d.params);
    const next = learn(optimizer, d, grads, rates, 'discriminator');
    const after = { params: next.params, buffers: aux.buffers, optimizer: next.state };
    return { state: { ...state, discriminator: after }, metrics: { discriminator: loss } };
  };

/** The average of values with their weights, a scalar. */
const averaged = (values: tf.Tensor, weights: tf.Tensor): tf.Tensor =>
  tf.div(tf.sum(tf.mul(values, weights)), tf.sum(weights));

/** The networks and settings of the generator's step. */
export interface DeceptionSettings {
  readonly generator: Network;
  readonly discriminator: Network;
  readonly optimizer: Optimizer;
  readonly size: FragmentSize;
  readonly loss: DeceptionLoss;
  /** Images of a batch, and fragments of each image that the discriminator scores. */
  readonly count: number;
  readonly fragments: number;
  /** Weight of the likeness of images, relative to a fragment's loss; 0 by default. */
  readonly diversity?: number | undefined;
}

/** The specs of the generator step's inputs. */
export const deceptionInputs = (settings: DeceptionSettings) => ({
  state: asInputs({
    generator: trainee(settings.generator, settings.optimizer),
    discriminator: frozen(settings.discriminator),
  }),
  /** The pixels of the fragments that are scored, the same in every image; see `fragmentIndices`. */
  batch: { places: spec([settings.fragments * sideOf(settings.size) ** 2], 'int32') },
  noise: { latents: spec([settings.count, ...settings.generator.inputShape]) },
  rates: rateInputs(settings.optimizer, 'generator'),
});
export type DeceptionInputs = TensorsOf<ReturnType<typeof deceptionInputs>>;

/**
 * One step of the generator against the frozen discriminator, without dropout. The same fragments of
 * all images are scored.
 */
export const deceptionStep =
  ({ generator, discriminator, optimizer, size, loss, diversity = 0 }: DeceptionSettings) =>
  ({ state, batch, noise, rates }: DeceptionInputs) => {
    const { generator: g, discriminator: d } = state;
    const step = differentiate((params) => {
      const made = generator.apply(params, g.buffers, noise.latents, { training: true });
      const fragments = fragmentsOf(made.y, batch.places, size);
      const scored = discriminator.apply(d.params, d.buffers, fragments, { training: false });
      const fooling = loss(tf.reshape(scored.y, [-1, 2]));
      const fake = tf.sigmoid(tf.neg(margins(scored.y)));
      const metrics = { generator: tf.mean(fooling), fake: tf.mean(fake) };
      const alike = diversity && tf.mul(likeness(made.y, noise.latents), diversity * fake.size);
      const sum = tf.sum(fooling);
      return {
        loss: alike ? tf.add(sum, alike) : sum,
        aux: { buffers: made.buffers, metrics },
      };
    }, g.params);
    const next = learn(optimizer, g, step.grads, rates, 'generator');
    const after = { params: next.params, buffers: step.aux.buffers, optimizer: next.state };
    return { state: { ...state, generator: after }, metrics: step.aux.metrics };
  };

/** Maps the logits (fake, real) of fragments, [N, 2], to the generator's loss for each, [N]. */
export type DeceptionLoss = (logits: tf.Tensor) => tf.Tensor;

/** The generator's losses by the names that recipes use; it minimises their sum. */
export const DECEPTION_LOSSES = {
  /** The sigmoid of the logit of "fake". */
  sigmoid: (logits: tf.Tensor) => tf.reshape(tf.sigmoid(tf.slice(logits, [0, 0], [-1, 1])), [-1]),
  /** −log of the probability of "real"; its gradient does not vanish if the discriminator is certain. */
  modified: (logits: tf.Tensor) => tf.softplus(tf.neg(margins(logits))),
} satisfies Record<string, DeceptionLoss>;

/**
 * The log-odds of "real" for each fragment: its logit minus that of "fake".
 * [N, h, w, 2] → [N, h, w, 1]
 */
export const logOdds = (logits: tf.Tensor): tf.Tensor => {
  const [fake, real] = tf.split(logits, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.sub(real, fake);
};

/** The log-odds as a vector: [N · h · w]. */
export const margins = (logits: tf.Tensor): tf.Tensor => tf.reshape(logOdds(logits), [-1]);

/** Softmax cross-entropy over two classes, as the logistic loss of the log-odds: [N]. */
const logisticLosses = (margin: tf.Tensor, labels: tf.Tensor): tf.Tensor =>
  tf.sub(tf.softplus(margin), tf.mul(margin, labels));

const generateFrozen = (
  generator: Network,
  { params, buffers }: Pick<Trainee, 'params' | 'buffers'>,
  latents: tf.Tensor,
): tf.Tensor => generator.apply(params, buffers, latents, { training: false }).y;

/** The pixels of images padded with zeros, [N, pixels, channels]. */
function padded(images: tf.Tensor, { frame }: FragmentSize): tf.Tensor3D {
  const [n, h, w, channels] = images.shape as [number, number, number, number];
  const edge: [number, number] = [frame, frame];
  const all = tf.pad(images as tf.Tensor4D, [[0, 0], edge, edge, [0, 0]]);
  return tf.reshape(all, [n, (h + 2 * frame) * (w + 2 * frame), channels]);
}

/**
 * Cuts the same fragments from each image.
 * @param places as `fragmentIndices` gives them
 * @returns [N · fragments, side, side, channels]
 */
export function fragmentsOf(images: tf.Tensor, places: tf.Tensor, size: FragmentSize): tf.Tensor {
  const side = sideOf(size);
  const channels = images.shape.at(-1) as number;
  const pixels = tf.gather(padded(images, size), places, 1);
  return tf.reshape(pixels, [-1, side, side, channels]);
}

/**
 * Cuts one fragment from each image, at its own position.
 * @param places as `fragmentIndices` gives them, for one corner per image
 * @returns [N, side, side, channels]
 */
export function fragmentOfEach(
  images: tf.Tensor,
  places: tf.Tensor,
  size: FragmentSize,
): tf.Tensor {
  const [n, side] = [images.shape[0] as number, sideOf(size)];
  const channels = images.shape.at(-1) as number;
  const pixels = padded(images, size);
  const starts = tf.mul(tf.range(0, n, 1, 'int32'), tf.scalar(pixels.shape[1], 'int32'));
  const own = tf.add(tf.reshape(places, [n, side * side]), tf.reshape(starts, [n, 1]));
  const rows = tf.gather(tf.reshape(pixels, [-1, channels]), tf.reshape(own, [-1]));
  return tf.reshape(rows, [n, side, side, channels]);
}
