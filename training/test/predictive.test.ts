import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fragmentIndices } from '../src/data/fragments/fragments.js';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import { optimizerOf } from '../src/methods/shared.js';
import { resolveRecipe } from '../src/recipe/load.js';
import {
  DECEPTION_LOSSES,
  fragmentInputs,
  fragmentOfEach,
  fragmentStep,
  fragmentsOf,
  logOdds,
} from '../src/steps/predictive.js';
import { distance, smallGan } from './small-gan.js';

type Predictive = NonNullable<ReturnType<typeof resolveRecipe>['training']['predictive']>;

/** A recipe in small, in two rounds: discriminator, generator, discriminator, generator. */
function twoRounds(name: string, more: Partial<Predictive> = {}) {
  const { predictive } = resolveRecipe(name, {}).training;
  return smallGan(name, {
    batchSize: 6,
    model: { fragment: { internal: 4, frame: 2 } },
    training: {
      steps: 40,
      epochs: undefined,
      predictive: {
        ...(predictive as Predictive),
        negatives: { noise: 1, blur: 1, mismatch: 0.5, generated: 1 },
        generator_fragments: 3,
        rounds: 2,
        ...more,
      },
    },
  });
}
type Phase = ReturnType<typeof twoRounds>['phases'][number];

/** The state after some steps, compiled and by TF.js's cpu backend, and the metrics of each step. */
async function both(
  { step, inputs, feeds }: Phase,
  start: Record<string, TensorData>,
  steps: number,
) {
  const compiled = await compile(step, inputs, { device: 'cpu' });
  compiled.load(start);
  await tf.setBackend('cpu');
  let state: Readonly<Record<string, TensorData>> = start;
  const metrics: { compiled: Record<string, number>; eager: Record<string, number> }[] = [];
  for (let k = 0; k < steps; k++) {
    const fast = await compiled.run(feeds(k));
    const eager = runEagerly(step, inputs, { state, feeds: feeds(k) });
    state = eager.state;
    metrics.push({ compiled: fast, eager: eager.metrics });
  }
  const after = compiled.state();
  await compiled.dispose();
  return { compiled: after, eager: state, metrics };
}

const CASES: [string, string, number, Partial<Predictive>][] = [
  ['gpn-mnist', 'discriminator', 0, {}],
  ['gpn-mnist', 'generator', 1, {}],
  ['gpn-mnist-large', 'discriminator', 0, {}],
  ['gpn-mnist-large', 'discriminator, with a rival,', 2, {}],
  ['gpn-mnist-large', 'discriminator, its slopes penalised,', 0, { r1: 0.3 }],
  ['gpn-mnist', 'discriminator, its slopes penalised, with a rival,', 2, { r1: 0.3 }],
  ['gpn-mnist-large', 'generator', 3, { diversity: undefined }],
  ['gpn-mnist-large', 'generator, to be diverse,', 3, { diversity: 0.1 }],
];

describe('gpn-mnist at an eighth of its width', () => {
  it.each(CASES)(
    '%s: the compiled step of the %s equals TF.js’s for twenty steps',
    async (name, _, at, more) => {
      const { phases, start } = twoRounds(name, more);
      const { compiled, eager, metrics } = await both(phases[at] as Phase, start, 20);
      for (const [key, tensor] of Object.entries(eager)) {
        expect(distance(compiled[key] as TensorData, tensor), key).toBeLessThan(1e-3);
      }
      for (const { compiled: fast, eager: slow } of metrics)
        for (const [key, value] of Object.entries(slow))
          expect(fast[key], key).toBeCloseTo(value, 3);
    },
  );

  it.each(CASES)(
    '%s: a step of the %s moves its own network and no other',
    async (name, what, at, more) => {
      const { phases, start } = twoRounds(name, more);
      const { compiled } = await both(phases[at] as Phase, start, 1);
      for (const [key, tensor] of Object.entries(compiled)) {
        const moved = distance(start[key] as TensorData, tensor) > 0;
        const own = key.startsWith(what.startsWith('gen') ? 'generator/' : 'discriminator/');
        if (!own) expect(moved, key).toBe(false);
        else if (/params.*kernel/.test(key)) expect(moved, key).toBe(true);
      }
    },
  );
});

it('R1 adds γ/2 times the mean of the squared slopes of real fragments, by finite differences', async () => {
  const plain = twoRounds('gpn-mnist');
  const penalised = twoRounds('gpn-mnist', { r1: 0.5 });
  const { start } = plain;
  const { feeds } = plain.phases[0] as Phase;
  const given = feeds(0);
  const lossOf = (gan: typeof plain, more: Record<string, TensorData> = {}) => {
    const { step, inputs } = gan.phases[0] as Phase;
    const all = { ...given, ...more };
    return runEagerly(step, inputs, { state: start, feeds: all }).metrics.discriminator as number;
  };
  await tf.setBackend('cpu');
  const fragments = given['batch/fragments'] as TensorData<'float32'>;
  const [labels, weights] = ['labels', 'weights'].map(
    (key) => given[`batch/${key}`]?.data as Float32Array,
  ) as [Float32Array, Float32Array];
  const size = fragments.data.length / labels.length;
  // The loss of one example alone is softplus(∓ score), from which its score is had.
  const scoreOf = (n: number, data: Float32Array): number => {
    const alone = weights.map((_, k) => Number(k === n));
    const more = {
      'batch/fragments': { ...fragments, data },
      'batch/weights': { ...(given['batch/weights'] as TensorData), data: alone },
    } as Record<string, TensorData>;
    const loss = lossOf(plain, more);
    return (labels[n] ? -1 : 1) * Math.log(Math.expm1(loss));
  };
  let [sum, total] = [0, 0];
  labels.forEach((label, n) => {
    if (!label) return;
    let square = 0;
    for (let k = n * size; k < (n + 1) * size; k++) {
      const [up, down] = [1e-2, -1e-2].map((by) => {
        const moved = fragments.data.slice();
        moved[k] = (moved[k] as number) + by;
        return scoreOf(n, moved);
      }) as [number, number];
      square += ((up - down) / 2e-2) ** 2;
    }
    sum += (weights[n] as number) * square;
    total += weights[n] as number;
  });
  expect(sum).toBeGreaterThan(0);
  expect(lossOf(penalised) - lossOf(plain)).toBeCloseTo((0.5 / 2) * (sum / total), 4);
});

describe('the rounds of GPN', () => {
  it('are the discriminator, then the generator, and again; they share all steps', () => {
    const { phases } = twoRounds('gpn-mnist-large', { rounds: 3 });
    expect(phases.map(({ name }) => name)).toEqual(
      [1, 2, 3].flatMap(() => ['discriminator', 'generator']),
    );
    expect(phases.map((phase) => phase.steps(100))).toEqual([13, 13, 13, 13, 14, 14]);
  });

  it('go on in the data from the place where the one before has stopped', () => {
    const [one, , two] = twoRounds('gpn-mnist').phases as [Phase, Phase, Phase];
    const whole = twoRounds('gpn-mnist', { rounds: 1 }).phases[0] as Phase;
    const fragments = (phase: Phase, k: number) => phase.feeds(k)['batch/fragments']?.data;
    expect(fragments(one, 3)).toEqual(fragments(whole, 3));
    expect(fragments(two, 3)).toEqual(fragments(whole, 23));
    expect(fragments(two, 3)).not.toEqual(fragments(whole, 3));
  });

  it('have generated fragments as negatives from the second on, as many as of every kind', () => {
    const { phases } = twoRounds('gpn-mnist-large');
    const labels = [0, 2].map((at) => [
      ...((phases[at] as Phase).feeds(0)['batch/labels'] as TensorData<'float32'>).data,
    ]);
    // Four kinds, of which the second fragment gives two.
    expect(labels).toEqual([
      [1, 0, 0, 0, 1, 0],
      [1, 0, 0, 0, 1, 0, 0, 0],
    ]);
  });
});

describe('the fragments that GPN cuts from images', () => {
  it('are what `places` say, zeros around; their gradient counts how often a pixel was shown', async () => {
    await tf.setBackend('cpu');
    const images = tf.reshape(tf.range(0, 2 * 3 * 3), [2, 3, 3, 1]);
    const corners = { rows: Uint32Array.of(0, 2), columns: Uint32Array.of(0, 2) };
    const size = { internal: 1, frame: 1 };
    const indices = tf.tensor1d(fragmentIndices(corners, { width: 3 }, size), 'int32');
    expect([...fragmentsOf(images, indices, size).dataSync()]).toEqual([
      ...[0, 0, 0, 0, 0, 1, 0, 3, 4],
      ...[4, 5, 0, 7, 8, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 9, 10, 0, 12, 13],
      ...[13, 14, 0, 16, 17, 0, 0, 0, 0],
    ]);
    expect([...fragmentOfEach(images, indices, size).dataSync()]).toEqual([
      ...[0, 0, 0, 0, 0, 1, 0, 3, 4],
      ...[13, 14, 0, 16, 17, 0, 0, 0, 0],
    ]);
    const counts = tf.grad((x) => tf.sum(fragmentsOf(x, indices, size)))(images);
    expect([...counts.dataSync()].slice(0, 9)).toEqual([1, 1, 0, 1, 2, 1, 0, 1, 1]);
  });
});

describe('the losses of GPN’s generator', () => {
  // Logits (fake, real): sure of fake, of real, undecided.
  const logits = () => tf.tensor2d([8, -8, -8, 8, 0, 0], [3, 2]);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  it('are their formulas', async () => {
    await tf.setBackend('cpu');
    const margins = [-16, 16, 0];
    [sigmoid(8), sigmoid(-8), 0.5].forEach((value, k) => {
      expect(DECEPTION_LOSSES.sigmoid(logits()).dataSync()[k]).toBeCloseTo(value, 5);
    });
    margins.forEach((m, k) => {
      expect(DECEPTION_LOSSES.modified(logits()).dataSync()[k]).toBeCloseTo(
        -Math.log(sigmoid(m)),
        5,
      );
    });
  });

  it('do not fade, by log-odds, if the discriminator is sure', async () => {
    await tf.setBackend('cpu');
    const slope = (name: keyof typeof DECEPTION_LOSSES) =>
      Math.abs(
        tf
          .grad((x) => tf.sum(DECEPTION_LOSSES[name](x)))(logits())
          .dataSync()[0] as number,
      );
    expect(slope('modified')).toBeGreaterThan(0.99);
    expect(slope('sigmoid')).toBeLessThan(0.001);
  });
});

it('the score of a fragment is the logit of "real": sigmoid(score) is its softmax', async () => {
  await tf.setBackend('cpu');
  const logits = tf.tensor4d([1.5, -0.5, -2, 0.25], [1, 1, 2, 2]);
  const scores = logOdds(logits);
  expect(scores.shape).toEqual([1, 1, 2, 1]);
  const real = tf.softmax(tf.reshape(logits, [2, 2])).dataSync();
  expect(tf.sigmoid(scores).dataSync()[0]).toBeCloseTo(real[1] as number, 6);
  expect(tf.sigmoid(scores).dataSync()[1]).toBeCloseTo(real[3] as number, 6);
});

describe('patches', () => {
  const patches = { internal: 14, regions: 2 };
  const region = { smallest: 3, largest: 8, smooth: 0.3, beside: 0.5 };
  const more: Partial<Predictive> = {
    ...{ detector: true, rounds: 1, region, patches, r1: undefined },
    negatives: { noise: 1, mismatch: 1 },
  };
  const model = { network: 'gpn-deep', fragment: { internal: 4, frame: 6 } };

  it('give the loss and the step of all their fragments, cut out', async () => {
    const small = (extra: object) => {
      const { predictive } = resolveRecipe('gpn-mnist', {}).training;
      const all = { ...(predictive as Predictive), ...more, ...extra };
      return smallGan('gpn-mnist', { batchSize: 2, model, training: { predictive: all } });
    };
    const whole = small({});
    const [phase] = whole.phases as [Phase];
    const feeds = phase.feeds(0);
    const { data, shape } = feeds['batch/fragments'] as TensorData<'float32'>;
    expect(shape).toEqual([2, 26, 26, 1]);
    const count = feeds['batch/labels']?.data.length as number;
    // Parts of 4 of 14 pixels; this small the network has one stride, of 2.
    const [across, stride] = [6, 2];
    expect(count).toBe(2 * across ** 2);
    const fragments = new Float32Array(count * 16 * 16);
    for (let k = 0, to = 0; k < count; k++) {
      const [n, i] = [Math.floor(k / across ** 2), k % across ** 2];
      const [top, left] = [Math.floor(i / across) * stride, (i % across) * stride];
      for (let y = 0; y < 16; y++)
        for (let x = 0; x < 16; x++)
          fragments[to++] = data[(n * 26 + top + y) * 26 + left + x] as number;
    }
    const discriminator = small({ patches: undefined }).gan.pair.discriminator;
    const settings = {
      discriminator,
      count,
      size: model.fragment,
      optimizer: optimizerOf(whole.recipe),
    };
    const step = fragmentStep(settings);
    await tf.setBackend('cpu');
    const cut = {
      ...feeds,
      'batch/fragments': { dtype: 'float32', shape: [count, 16, 16, 1], data: fragments },
    } as Record<string, TensorData>;
    const [a, b] = [
      runEagerly(phase.step, phase.inputs, { state: whole.start, feeds }),
      runEagerly(step as Phase['step'], fragmentInputs(settings), {
        state: whole.start,
        feeds: cut,
      }),
    ];
    expect(a.metrics.discriminator).toBeCloseTo(b.metrics.discriminator as number, 5);
    for (const [key, tensor] of Object.entries(a.state)) {
      expect(distance(tensor, b.state[key] as TensorData), key).toBeLessThan(1e-4);
    }
  });
});
