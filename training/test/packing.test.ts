/**
 * Packing (PacGAN). The oracle is a plain GAN of images with more channels, whose generator draws the
 * images of a pack from as many latents at once: it has the same losses and the same gradients.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Network } from '@gpn/models';
import { conv, dense, flatten, leakyRelu, reshape, sequential, tanh } from '@gpn/models/layers';
import { Discriminator, loadModel, product, stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats, pixels } from '../src/data/tensors.js';
import { runEagerly } from '../src/engine/eager.js';
import type { State } from '../src/engine/types.js';
import { LOSSES } from '../src/gan/losses.js';
import { OPTIMIZERS } from '../src/gan/optimizers.js';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { defineNetworks } from '../src/recipe/own/networks.js';
import { train } from '../src/run/loop.js';
import { adversarialStep, type GanSettings, ganInputs } from '../src/steps/adversarial.js';
import { ganState, startingState } from '../src/steps/state.js';
import { distance, smallGan } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

const [PACK, PACKS, SIDE, CHANNELS, LATENTS] = [2, 2, 4, 3, 5];
const IMAGE = [SIDE, SIDE, CHANNELS];

/** Without batch statistics, so that drawing two images at once changes neither. */
const generator = sequential(
  [LATENTS],
  [dense(product(IMAGE)), leakyRelu(0.2), dense(product(IMAGE)), tanh(), reshape(() => IMAGE)],
);
const discriminator = sequential(
  [SIDE, SIDE, PACK * CHANNELS],
  [conv(2, 2, 0, 6), leakyRelu(0.2), flatten(), dense(1)],
);

/** The same weights, drawing all images of a pack: the latents of each are a part of the wide ones. */
const wide: Network = {
  ...generator,
  inputShape: [PACK * LATENTS],
  outputShape: [SIDE, SIDE, PACK * CHANNELS],
  apply(params, buffers, x, pass) {
    const images = tf.split(x, PACK, 1).map((z) => generator.apply(params, buffers, z, pass).y);
    return { y: tf.concat(images, 3), buffers };
  },
};

/** Rows 0, N / m, 2 N / m … of a list beside one another, in loops; each row has places of `size` values. */
function joined<T extends Float32Array | Uint8Array>(from: T, row: number, size: number): T {
  const count = from.length / row;
  const packs = count / PACK;
  const to = from.slice() as T;
  let at = 0;
  for (let n = 0; n < packs; n++) {
    for (let place = 0; place < row; place += size) {
      for (let k = 0; k < PACK; k++) {
        for (let i = 0; i < size; i++) {
          to[at++] = from[(n + k * packs) * row + place + i] as number;
        }
      }
    }
  }
  return to;
}

const random = stream(5, 'packing');
const images = Uint8Array.from(random.uniform(PACKS * PACK * product(IMAGE), 0, 256));
const latents = random.normal(PACKS * PACK * LATENTS);
const mixture = floats([PACKS, 1, 1, 1], random.uniform(PACKS, 0, 1));

interface Penalties {
  readonly r1?: number;
  readonly r2?: number;
  readonly gradientPenalty?: number;
}

/** A step, with its rates, from the same weights. */
function after(loss: string, penalties: Penalties, pair: Partial<GanSettings>, noise: State) {
  const { r1 = 0, r2 = 0, gradientPenalty = 0 } = penalties;
  const optimizer = OPTIMIZERS.sgd({});
  const settings: GanSettings = {
    ...{ generator, discriminator, optimizer, loss: LOSSES[loss] as never },
    ...{ batchSize: PACKS, range: [-1, 1], labelSmoothing: 0 },
    ...{ discriminatorSteps: 1, generatorSteps: 1, gradientPenalty },
    slopePenalties: { r1: r1 > 0, r2: r2 > 0 },
    ...pair,
  };
  const state = startingState(ganState(settings, optimizer), 'kaiming', stream(1, 'weights'));
  const scalar = (value: number): TensorData => floats([], Float32Array.of(value));
  const feeds = {
    ...noise,
    ...(gradientPenalty && { 'noise/mixture': mixture }),
    'rates/generator': scalar(0.1),
    'rates/discriminator': scalar(0.1),
    ...(r1 && { 'rates/r1': scalar(r1) }),
    ...(r2 && { 'rates/r2': scalar(r2) }),
  };
  return runEagerly(adversarialStep(settings) as never, ganInputs(settings) as never, {
    state,
    feeds,
  });
}

const PENALTIES: [string, Penalties][] = [
  ['no penalty', {}],
  ['R1 and R2', { r1: 2, r2: 0.5 }],
  ['a gradient penalty', { gradientPenalty: 10 }],
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(Object.keys(LOSSES))('packs with the loss %s', (loss) => {
  it.each(PENALTIES)('and %s learn as images of more channels do', (_, penalties) => {
    const packed = after(
      loss,
      penalties,
      { packing: PACK, batchSize: PACKS * PACK },
      {
        'batch/images': pixels([PACKS * PACK, ...IMAGE], images),
        'noise/latents': floats([PACKS * PACK, LATENTS], latents),
      },
    );
    const plain = after(
      loss,
      penalties,
      { generator: wide },
      {
        'batch/images': pixels(
          [PACKS, SIDE, SIDE, PACK * CHANNELS],
          joined(images, product(IMAGE), CHANNELS),
        ),
        'noise/latents': floats([PACKS, PACK * LATENTS], joined(latents, LATENTS, LATENTS)),
      },
    );
    expect(packed.metrics.discriminator).toBeCloseTo(plain.metrics.discriminator as number, 5);
    expect(packed.metrics.generator).toBeCloseTo(plain.metrics.generator as number, 5);
    const names = Object.keys(plain.state);
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) {
      const by = distance(packed.state[name] as TensorData, plain.state[name] as TensorData);
      expect(by, name).toBeLessThan(1e-5);
    }
  });
});

describe('a recipe with packing', () => {
  const sentence = (name: string, training: object, model: object = {}) => {
    const recipe = resolveRecipe(name);
    const changed = {
      ...recipe,
      model: { ...recipe.model, ...model },
      training: { ...recipe.training, ...training },
    };
    return () => checkRecipe(changed);
  };

  it.each([
    ['gan-mnist', { packing: 3 }, 'training.batch_size must be a multiple of training.packing, 3'],
    ['cdcgan-mnist', { packing: 2 }, 'training.packing must be left out with model.classes'],
    ['gpn-mnist', { packing: 2 }, 'training.packing must be left out with the method predictive'],
    ['began-mnist', { packing: 2 }, 'training.packing must be left out with the method began'],
    ['gan-mnist', { packing: 17 }, 'training.packing must be at most 16, found 17.'],
  ])('%s %o is refused by a sentence', (name, training, text) => {
    expect(sentence(name, training)).toThrow(text);
  });

  it('is refused if the discriminator of one’s own takes single images', () => {
    defineNetworks('single', { generator: smallOf('generator'), discriminator: single });
    expect(sentence('gan-mnist', { packing: 2 }, { network: 'single' })).toThrow(
      'model.network must be one whose discriminator takes 28 × 28 × 2, as the method adversarial shows it 2 images at once, found single.',
    );
  });

  it('of one image each is the recipe without it', () => {
    const [plain, one] = [{}, { packing: 1 }].map((training) =>
      smallGan('gan-mnist', { training }),
    );
    expect(one?.gan.phases[0]?.inputs).toEqual(plain?.gan.phases[0]?.inputs);
    expect(one?.gan.phases[0]?.flops).toBe(plain?.gan.phases[0]?.flops);
  });
});

const smallOf = (role: 'generator' | 'discriminator') => smallGan('gan-mnist').gan.pair[role];
const single = sequential([28, 28, 1], [flatten(), dense(1)]);

describe('a packed training', () => {
  let out: string;
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'packing-'));
  });
  afterAll(() => rm(out, { recursive: true, force: true }));

  it('with networks of one’s own is stopped, resumed and exported; its discriminator is verified, and scores no single image', async () => {
    defineNetworks('packed', ({ latentSize, image }: never) => ownPair(latentSize, image));
    const recipe = resolveRecipe('gan-mnist', { network: 'packed', steps: 4, batchSize: 6 });
    recipe.training.packing = 3;
    const run = join(out, 'run');
    const controller = new AbortController();
    const on = (event: { type: string; step?: number }) => {
      if (event.type === 'step' && event.step === 2) controller.abort();
    };
    const stopped = await train(recipe, { out: run, device: 'cpu', signal: controller.signal, on });
    expect(stopped.type).toBe('interrupted');
    const done = await train(recipe, { out: run, device: 'cpu', resume: true });
    const path = done.discriminator as string;
    await using model = await loadModel(path, { device: 'cpu' });
    expect(model.info).toMatchObject({ packing: 3, image: { channels: 1, color: 'gray' } });
    expect((await model.verify()).ok).toBe(true);
    await expect(Discriminator.load(path)).rejects.toThrow(
      /discriminator\.onnx scores 3 images at once: take a discriminator trained without packing/,
    );
    await using drawn = await loadModel(done.generator as string, { device: 'cpu' });
    expect(drawn.info.packing).toBeUndefined();
    expect((await drawn.verify()).ok).toBe(true);
  });
});

/** Of the options that a recipe gives. */
const ownPair = (
  latentSize: number,
  image: { height: number; width: number; channels: number },
) => {
  const shape = [image.height, image.width, image.channels];
  return {
    generator: sequential([latentSize], [dense(product(shape)), tanh(), reshape(() => shape)]),
    discriminator: sequential(shape, [flatten(), dense(1)]),
  };
};
