import { prefixed, type Tensors, under } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import type { GanSettings, GanState, Rates } from './adversarial.js';
import { differentiate } from './gradients.js';
import { fromPixels, sliceBatch } from './pixels.js';

export interface InfoganInputs {
  /** `information`: what the optimiser of both networks together remembers. */
  readonly state: GanState & { readonly information: { readonly optimizer: Tensors } };
  /** As the adversarial step takes them; `labels` when the categories are supervised. */
  readonly batch: { readonly images: tf.Tensor; readonly labels?: tf.Tensor };
  /** For two batches: [2 · batch, …]. `categories` are one-hot, `codes` uniform on (−1, 1). */
  readonly noise: {
    readonly latents: tf.Tensor;
    readonly categories: tf.Tensor;
    readonly codes: tf.Tensor;
  };
  readonly rates: Rates<'generator' | 'discriminator' | 'information'>;
}

export interface InfoganSettings
  extends Pick<
    GanSettings,
    'generator' | 'discriminator' | 'loss' | 'optimizer' | 'batchSize' | 'range' | 'labelSmoothing'
  > {
  readonly categories: number;
  readonly codes: number;
  /** Whether the discriminator gives the codes' variance beside their mean. */
  readonly codeVariance: boolean;
  /** What the codes' loss counts beside the category's. */
  readonly codeWeight: number;
  /** Ties the first code to the thickness of the strokes. */
  readonly thickness: boolean;
}

/** The parts of the discriminator's output, a vector for each image. */
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
 * One iteration of InfoGAN (Chen et al. 2016): the generator learns from the discriminator, the
 * discriminator from a real batch and from that generated one, and then both learn that the
 * category and the codes an image was made of can be read from it (their equation 5).
 */
export const infoganStep =
  (settings: InfoganSettings) =>
  ({ state, batch, noise, rates }: InfoganInputs) => {
    const { generator, discriminator, loss, optimizer, batchSize } = settings;
    const { generator: g, discriminator: d } = state;
    const real = fromPixels(batch.images, settings.range);
    const draw = (k: number) => ({
      latents: sliceBatch(noise.latents, k, batchSize),
      categories: sliceBatch(noise.categories, k, batchSize),
      codes: sliceBatch(noise.codes, k, batchSize),
    });
    const generate = (params: Tensors, buffers: Tensors, { latents, ...given }: Drawn) =>
      generator.apply(params, buffers, latents, { training: true, conditions: given });
    const judge = (params: Tensors, buffers: Tensors, x: tf.Tensor) =>
      discriminator.apply(params, buffers, x, { training: true });
    const logit = (y: tf.Tensor) => heads(y, settings).logit;

    const first = draw(0);
    const gStep = differentiate((params) => {
      const made = generate(params, g.buffers, first);
      const judged = judge(d.params, d.buffers, made.y);
      const onReal = () => logit(judge(d.params, d.buffers, real).y);
      return {
        loss: loss.generator(logit(judged.y), onReal),
        aux: { made: made.buffers, judged: judged.buffers },
      };
    }, g.params);
    const gNext = optimizer.update(g.params, gStep.grads, g.optimizer, rates.generator);

    const fake = generate(g.params, g.buffers, first).y;
    const dStep = differentiate((params) => {
      const onReal = judge(params, gStep.aux.judged, real);
      const onFake = judge(params, onReal.buffers, fake);
      return {
        loss: loss.discriminator(logit(onReal.y), logit(onFake.y), settings.labelSmoothing),
        aux: { buffers: onFake.buffers },
      };
    }, d.params);
    const dNext = optimizer.update(d.params, dStep.grads, d.optimizer, rates.discriminator);

    const second = draw(1);
    const both = join(gNext.params, dNext.params);
    const iStep = differentiate((params) => {
      const own = split(params);
      const made = generate(own.generator, gStep.aux.made, second);
      const onFake = judge(own.discriminator, dStep.aux.buffers, made.y);
      const read = informationLoss(onFake.y, made.y, second, settings);
      if (!batch.labels) return { loss: read, aux: { made: made.buffers, judged: onFake.buffers } };
      const onReal = judge(own.discriminator, onFake.buffers, real);
      const named = crossEntropy(heads(onReal.y, settings).category, batch.labels);
      return { loss: tf.add(read, named), aux: { made: made.buffers, judged: onReal.buffers } };
    }, both);
    const iNext = optimizer.update(
      both,
      iStep.grads,
      state.information.optimizer,
      rates.information,
    );
    const after = split(iNext.params);

    return {
      state: {
        generator: {
          params: after.generator,
          buffers: iStep.aux.made as Tensors,
          optimizer: gNext.state,
        },
        discriminator: {
          params: after.discriminator,
          buffers: iStep.aux.judged as Tensors,
          optimizer: dNext.state,
        },
        information: { optimizer: iNext.state },
      },
      metrics: { discriminator: dStep.loss, generator: gStep.loss, information: iStep.loss },
    };
  };

type Drawn = Record<'latents' | 'categories' | 'codes', tf.Tensor>;

/** How badly category and codes are read from generated images: −L_I of the paper, but for a constant. */
function informationLoss(
  y: tf.Tensor,
  images: tf.Tensor,
  { categories, codes }: Drawn,
  settings: InfoganSettings,
): tf.Tensor {
  const { category, code, logVariance } = heads(y, settings);
  const target = settings.thickness ? tieToThickness(codes, images) : codes;
  const square = tf.square(tf.sub(code, target));
  const misread = logVariance
    ? tf.mul(
        0.5,
        tf.add(tf.add(logVariance, Math.log(2 * Math.PI)), tf.div(square, tf.exp(logVariance))),
      )
    : square;
  return tf.add(crossEntropy(category, categories), tf.mul(settings.codeWeight, tf.mean(misread)));
}

/** Of logits against one-hot classes, the mean over the batch. */
const crossEntropy = (logits: tf.Tensor, oneHot: tf.Tensor): tf.Tensor =>
  tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), 1)));

/**
 * The codes with the first, c, in terms of what was drawn: (c + 1)(t + 0.52) − 1, where t is the mean
 * brightness of the image's columns 9 to 18. No gradient goes through t.
 */
function tieToThickness(codes: tf.Tensor, images: tf.Tensor): tf.Tensor {
  const [n, height, , channels] = images.shape as [number, number, number, number];
  const middle = tf.slice(still(images), [0, 0, 9, 0], [n, height, 10, channels]);
  const brightness = tf.reshape(tf.mean(middle, [1, 2, 3]), [n, 1]);
  const first = tf.slice(codes, [0, 0], [n, 1]);
  const tied = tf.sub(tf.mul(tf.add(first, 1), tf.add(brightness, 0.52)), 1);
  return tf.concat([tied, tf.slice(codes, [0, 1], [n, -1])], 1);
}

/** The same values, through which no gradient flows. */
const still = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((y) => {
    const value = tf.clone(y as tf.Tensor);
    return { value, gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) };
  })(x);

const join = (generator: Tensors, discriminator: Tensors): Tensors => ({
  ...prefixed('generator', generator),
  ...prefixed('discriminator', discriminator),
});
const split = (tensors: Tensors) => ({
  generator: under('generator', tensors),
  discriminator: under('discriminator', tensors),
});
