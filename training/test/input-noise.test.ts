/** Normal noise on what a discriminator sees. */

import { dense, flatten, reshape, sequential, tanh } from '@gpn/models/layers';
import { product, stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { floats, pixels } from '../src/data/tensors.js';
import { runEagerly } from '../src/engine/eager.js';
import type { State } from '../src/engine/types.js';
import { LOSSES } from '../src/gan/losses.js';
import { OPTIMIZERS } from '../src/gan/optimizers.js';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { adversarialStep, type GanSettings, ganInputs } from '../src/steps/adversarial.js';
import { ganState, startingState } from '../src/steps/state.js';
import { smallGan } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

const [BATCH, LATENTS, DEVIATION] = [3, 4, 0.3];
const IMAGE = [4, 4, 1];
const SIZE = product(IMAGE);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('moves the scores of a linear critic by its weights times the noise', () => {
  const random = stream(4, 'noise');
  const noise = random.normal(3 * BATCH * SIZE);
  const optimizer = OPTIMIZERS.sgd({});
  const settings: GanSettings = {
    generator: sequential([LATENTS], [dense(SIZE), tanh(), reshape(() => IMAGE)]),
    discriminator: sequential(IMAGE, [flatten(), dense(1)]),
    ...{ optimizer, loss: LOSSES.wasserstein as never, batchSize: BATCH, range: [-1, 1] },
    ...{ labelSmoothing: 0, discriminatorSteps: 1, generatorSteps: 1, gradientPenalty: 0 },
    slopePenalties: { r1: false, r2: false },
  };
  const state = startingState(ganState(settings, optimizer), 'xavier', random);
  const rate = floats([], Float32Array.of(0));
  const feeds: State = {
    'batch/images': pixels(
      [BATCH, ...IMAGE],
      Uint8Array.from(random.uniform(BATCH * SIZE, 0, 256)),
    ),
    'noise/latents': floats([BATCH, LATENTS], random.normal(BATCH * LATENTS)),
    'rates/generator': rate,
    'rates/discriminator': rate,
  };
  const losses = (inputNoise: boolean) => {
    const own = { ...settings, inputNoise };
    const more: State = {
      'noise/input': floats([3 * BATCH, ...IMAGE], noise),
      'rates/input_noise': floats([], Float32Array.of(DEVIATION)),
    };
    return runEagerly(adversarialStep(own) as never, ganInputs(own) as never, {
      state,
      feeds: inputNoise ? { ...feeds, ...more } : feeds,
    }).metrics as { discriminator: number; generator: number };
  };
  const weights = state['discriminator/params/dense1/kernel']?.data as Float32Array;
  /** The average over a batch of what the noise adds to a score: of real, made, and made images. */
  const added = (batch: number) => {
    let sum = 0;
    for (let i = 0; i < BATCH * SIZE; i++) {
      sum += (noise[batch * BATCH * SIZE + i] as number) * (weights[i % SIZE] as number);
    }
    return (DEVIATION * sum) / BATCH;
  };
  const [plain, noisy] = [losses(false), losses(true)];
  expect(noisy.discriminator - plain.discriminator).toBeCloseTo(added(1) - added(0), 5);
  expect(noisy.generator - plain.generator).toBeCloseTo(-added(2), 5);
  expect(Math.abs(added(1) - added(0))).toBeGreaterThan(0.01);
});

it('is on all fragments that the judge of a GPN learns from', () => {
  const of = (input_noise: number | undefined) =>
    smallGan('gpn-mnist', { training: { input_noise } });
  const [plain, noisy] = [of(undefined), of(DEVIATION)];
  const feeds = noisy.phases[0]?.feeds(0) as State;
  const { 'noise/dropout/input': noise, ...others } = feeds;
  const fragments = feeds['batch/fragments'] as TensorData;
  expect(noise?.shape).toEqual(fragments.shape);
  const moved = Float32Array.from(
    fragments.data as Float32Array,
    (value, i) => value + DEVIATION * (noise?.data[i] as number),
  );
  const lossOf = ({ phases: [phase], start }: typeof plain, feeds: State) =>
    runEagerly(phase?.step as never, phase?.inputs as never, { state: start, feeds }).metrics
      .discriminator as number;
  const wanted = lossOf(plain, { ...others, 'batch/fragments': { ...fragments, data: moved } });
  expect(lossOf(noisy, feeds)).toBeCloseTo(wanted, 5);
  expect(lossOf(plain, others)).not.toBeCloseTo(wanted, 3);
  // The generator is taught by the judge as it is.
  expect(Object.keys(noisy.phases[1]?.feeds(0) ?? {})).toEqual(
    Object.keys(plain.phases[1]?.feeds(0) ?? {}),
  );
});

it('fades to a share of itself by a cosine', () => {
  const schedule = { type: 'cosine', factor: 0.5, noise_factor: 0 } as const;
  const { phases } = smallGan('dcgan-mnist', { training: { input_noise: 0.5, schedule } });
  const at = (k: number) => phases[0]?.feeds(k)['rates/input_noise']?.data[0];
  expect([at(0), at(32), at(64)]).toEqual([0.5, 0.25, 0]);
});

it.each([
  [
    'dcgan-mnist',
    {},
    'training.schedule.noise_factor must be left out without training.input_noise',
  ],
  [
    'gpn-mnist',
    { input_noise: 0.1 },
    'training.schedule.noise_factor must be left out with the method predictive',
  ],
])('%s %o with a factor of the noise is refused', (name, training, text) => {
  const recipe = resolveRecipe(name);
  const schedule = { type: 'cosine', factor: 0.5, noise_factor: 0 };
  const changed = { ...recipe, training: { ...recipe.training, ...training, schedule } };
  expect(() => checkRecipe(changed)).toThrow(text);
});
