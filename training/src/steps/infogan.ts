import { spec, type Tensors as TensorsOf } from '@gpn/export/trace';
import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import type { GanSettings } from './adversarial.js';
import { differentiate } from './gradients.js';
import { likeness } from './likeness.js';
import { fromPixels } from './pixels.js';
import { asInputs, ganState, learn, rateInputs } from './state.js';

/** The networks and settings of the step. */
export interface InfoganSettings
  extends Pick<
    GanSettings,
    'generator' | 'discriminator' | 'loss' | 'optimizer' | 'batchSize' | 'range' | 'labelSmoothing'
  > {
  readonly categories: number;
  readonly codes: number;
  /** Whether the discriminator estimates the variance of the codes as well as their mean. */
  readonly codeVariance: boolean;
  /** λ of the paper: weight of reading categories and codes, relative to the adversarial losses. */
  readonly weight: number;
  /** Weight of reading the codes, relative to reading the category. */
  readonly codeWeight: number;
  /** Weight of the mutual information between the categories of a real image and its distorted copy. */
  readonly consistency: number;
  /** Weight, in the generator's loss, of the likeness of images that differ in their latents only. */
  readonly diversity: number;
  /** Whether the first code is tied to the thickness of the strokes. */
  readonly thickness: boolean;
  /** Whether category k is class k of the data's labels. */
  readonly supervised: boolean;
}

/** The specs of the step's inputs. */
export function infoganInputs(settings: InfoganSettings) {
  const { generator, discriminator, optimizer, batchSize, categories, codes } = settings;
  const images = spec([batchSize, ...discriminator.inputShape], 'uint8');
  return {
    state: asInputs(ganState(settings, optimizer)),
    batch: {
      /** Pixels 0 to 255. */
      images,
      /** The same images, distorted, if categories are to be consistent. */
      ...(settings.consistency && { bent: images }),
      /** One-hot classes, if the categories are supervised. */
      ...(settings.supervised && { labels: spec([batchSize, categories]) }),
    },
    /** The generator's inputs. For diversity, the second half of categories and codes repeats the first. */
    noise: {
      latents: spec([batchSize, ...generator.inputShape]),
      /** One-hot. */
      categories: spec([batchSize, categories]),
      /** Uniform on (−1, 1). */
      codes: spec([batchSize, codes]),
    },
    rates: rateInputs(optimizer, 'generator', 'discriminator'),
  };
}
export type InfoganInputs = TensorsOf<ReturnType<typeof infoganInputs>>;

/** Splits the discriminator's output, a vector for each image, into its parts. */
export function heads(y: tf.Tensor, { categories, codes, codeVariance }: HeadSizes) {
  const part = (at: number, size: number) => tf.slice(y, [0, at], [-1, size]);
  return {
    logit: part(0, 1),
    category: part(1, categories),
    code: part(1 + categories, codes),
    ...(codeVariance && { logVariance: part(1 + categories + codes, codes) }),
  };
}
type HeadSizes = Pick<InfoganSettings, 'categories' | 'codes' | 'codeVariance'>;

/**
 * One step of InfoGAN (Chen et al. 2016). The generator learns from the discriminator, and then the
 * discriminator from a real and a generated batch. Both losses include −λ·L_I (their equation 6): the
 * category and the codes that an image was made of should be readable from it. As in the paper, the
 * reading network is a part of the discriminator and learns with it.
 *
 * This alone may divide kinds of images between categories. With distorted copies, the discriminator
 * therefore also maximises the mutual information between the categories of a real image and its copy
 * (Ji et al. 2019). For diversity, the generator's loss includes the likeness of two images with the
 * same category and codes (Mao et al. 2019).
 */
export const infoganStep =
  (settings: InfoganSettings) =>
  ({ state, batch, noise, rates }: InfoganInputs) => {
    const { generator, discriminator, loss, optimizer } = settings;
    const { generator: g, discriminator: d } = state;
    const real = fromPixels(batch.images, settings.range);
    const { latents, ...conditions } = noise;
    const generate = (params: Tensors) =>
      generator.apply(params, g.buffers, latents, { training: true, conditions });
    const discriminate = (params: Tensors, buffers: Tensors, x: tf.Tensor) => {
      const { y, buffers: next } = discriminator.apply(params, buffers, x, { training: true });
      return { ...heads(y, settings), buffers: next };
    };
    const misread = (read: Heads, images: tf.Tensor) =>
      misreading(read, settings.thickness ? tiedToThickness(noise, images) : noise, settings);

    const gStep = differentiate((params) => {
      const made = generate(params);
      const onFake = discriminate(d.params, d.buffers, made.y);
      const onReal = () => discriminate(d.params, d.buffers, real).logit;
      const adversarial = loss.generator(onFake.logit, onReal);
      const total = tf.add(adversarial, tf.mul(settings.weight, misread(onFake, made.y)));
      const half = (latents.shape[0] as number) / 2;
      const alike =
        settings.diversity && tf.mul(settings.diversity, likeness(made.y, latents, half));
      return {
        loss: alike ? tf.add(total, alike) : total,
        aux: { made: made.buffers, scored: onFake.buffers },
      };
    }, g.params);
    const gNext = learn(optimizer, g, gStep.grads, rates, 'generator');

    const fake = generate(g.params).y;
    const dStep = differentiate((params) => {
      const onReal = discriminate(params, gStep.aux.scored, real);
      const onFake = discriminate(params, onReal.buffers, fake);
      const adversarial = loss.discriminator(onReal.logit, onFake.logit, settings.labelSmoothing);
      const information = misread(onFake, fake);
      let total = tf.add(adversarial, tf.mul(settings.weight, information));
      if (batch.labels) total = tf.add(total, softmaxCrossEntropy(onReal.category, batch.labels));
      const distorted =
        batch.bent && discriminate(params, onFake.buffers, fromPixels(batch.bent, settings.range));
      const consistency =
        distorted && mutualInformation(tf.softmax(onReal.category), tf.softmax(distorted.category));
      if (consistency) total = tf.sub(total, tf.mul(settings.consistency, consistency));
      return {
        loss: total,
        aux: {
          buffers: onFake.buffers,
          // As a loss, in nats: the largest possible mutual information minus the actual one.
          read: {
            information,
            ...(consistency && { bent: tf.sub(Math.log(settings.categories), consistency) }),
          },
        },
      };
    }, d.params);
    const dNext = learn(optimizer, d, dStep.grads, rates, 'discriminator');

    return {
      state: {
        generator: { params: gNext.params, buffers: gStep.aux.made, optimizer: gNext.state },
        discriminator: {
          params: dNext.params,
          buffers: dStep.aux.buffers,
          optimizer: dNext.state,
        },
      },
      metrics: { discriminator: dStep.loss, generator: gStep.loss, ...dStep.aux.read },
    };
  };

type Made = InfoganInputs['noise'];
type Heads = ReturnType<typeof heads>;

/** The error of reading category and codes from generated images: −L_I of the paper, up to a constant. */
function misreading(
  { category, code, logVariance }: Heads,
  { categories, codes }: Pick<Made, 'categories' | 'codes'>,
  { codeWeight }: InfoganSettings,
): tf.Tensor {
  const square = tf.square(tf.sub(code, codes));
  const misread = logVariance
    ? tf.mul(
        0.5,
        tf.add(tf.add(logVariance, Math.log(2 * Math.PI)), tf.div(square, tf.exp(logVariance))),
      )
    : square;
  return tf.add(softmaxCrossEntropy(category, categories), tf.mul(codeWeight, tf.mean(misread)));
}

/** Cross-entropy of logits and one-hot classes, averaged over the batch. */
const softmaxCrossEntropy = (logits: tf.Tensor, oneHot: tf.Tensor): tf.Tensor =>
  tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), 1)));

/** Keeps the logarithm of a zero probability finite. */
const TINY = 1e-8;

/**
 * The mutual information of two classifications of the same images, in nats, from 0 to the logarithm
 * of the number of classes. It is largest if both agree, are certain and use all classes equally
 * (Ji et al. 2019, equation 3).
 *
 * @param a probabilities, [images, classes]
 * @param b probabilities of the same images, or of distorted copies
 * @returns a scalar
 */
export function mutualInformation(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const together = tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, true);
  const joint = tf.div(tf.add(together, tf.transpose(together)), 2 * (a.shape[0] as number));
  const negentropy = (p: tf.Tensor) => tf.sum(tf.mul(p, tf.log(tf.add(p, TINY))));
  return tf.sub(negentropy(joint), tf.mul(2, negentropy(tf.sum(joint, 1))));
}

/**
 * Replaces the first code c by (c + 1)(t + 0.52) − 1, where t is the average brightness of the image's
 * columns 9 to 18. No gradient flows through t.
 */
function tiedToThickness({ codes, ...made }: Made, images: tf.Tensor): Made {
  const [n, height, , channels] = images.shape as [number, number, number, number];
  const middle = tf.slice(still(images), [0, 0, 9, 0], [n, height, 10, channels]);
  const brightness = tf.reshape(tf.mean(middle, [1, 2, 3]), [n, 1]);
  const first = tf.slice(codes, [0, 0], [n, 1]);
  const tied = tf.sub(tf.mul(tf.add(first, 1), tf.add(brightness, 0.52)), 1);
  return { ...made, codes: tf.concat([tied, tf.slice(codes, [0, 1], [n, -1])], 1) };
}

/** Stops the gradient. */
const still = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((y) => {
    const value = tf.clone(y as tf.Tensor);
    return { value, gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) };
  })(x);
