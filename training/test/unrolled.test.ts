/**
 * Unrolled steps. The oracles are a closed form, the same convolution as a product of matrices, whose
 * derivatives TF.js has by itself, and central differences.
 */
import { initialize, type Tensors } from '@gpn/models';
import { conv, dense, flatten, leakyRelu, sequential } from '@gpn/models/layers';
import { stream } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import { LOSSES, type LossPair } from '../src/gan/losses.js';
import { OPTIMIZERS, type Optimizer } from '../src/gan/optimizers.js';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { mapRecord } from '../src/records.js';
import { unrolled } from '../src/steps/unrolled.js';
import { distance, smallGan } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

const squares = LOSSES.least_squares as LossPair;
const RATE = 0.3;
const zeros = (shape: readonly number[]) => ({ shape, start: { kind: 'zeros' } }) as const;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const random = stream(4, 'unrolled');
const normal = (...shape: number[]) =>
  tf.tensor(random.normal(shape.reduce((a, b) => a * b)), shape);

/** Updates by an optimiser at one rate. */
const updateBy =
  (optimizer: Optimizer, at = RATE) =>
  (
    from: { params: Tensors; optimizer: Tensors },
    grads: Tensors,
    squared: Tensors,
  ): { params: Tensors; optimizer: Tensors } => {
    const rate = tf.scalar(at);
    const next = optimizer.update(from.params, grads, from.optimizer, rate, undefined, squared);
    return { params: next.params, optimizer: next.state };
  };

it('of a linear critic come to the closed form', () => {
  const [real, fake, w] = [normal(5, 3), normal(5, 3), normal(3, 1)];
  const count = 4;
  const scores = (x: tf.Tensor, params: Tensors) =>
    tf.matMul(x as tf.Tensor2D, params.w as tf.Tensor2D);
  const lossOf = (made: tf.Tensor) => {
    const start = { params: { w }, optimizer: {} };
    const loss = (params: Tensors) =>
      tf.sub(tf.mean(scores(made, params)), tf.mean(scores(real, params)));
    const params = unrolled(start, count, loss, updateBy(OPTIMIZERS.sgd({})));
    return tf.neg(tf.mean(scores(made, params))) as tf.Scalar;
  };
  // w is moved by −η (f̄ − r̄) each time, so the loss is −(w − kη (f̄ − r̄)) · f̄.
  const [f, r, v] = [tf.mean(fake, 0), tf.mean(real, 0), tf.reshape(w, [3])];
  const moved = tf.mul(count * RATE, tf.sub(f, r));
  const { value, grad } = tf.valueAndGrad(lossOf)(fake);
  const wanted = tf.neg(tf.sum(tf.mul(tf.sub(v, moved), f)));
  expect(value.dataSync()[0]).toBeCloseTo(wanted.dataSync()[0] as number, 5);
  const slope = tf.div(tf.add(tf.sub(moved, v), tf.mul(count * RATE, f)), 5);
  for (const row of tf.unstack(grad)) {
    for (const [i, x] of row.dataSync().entries()) {
      expect(x).toBeCloseTo(slope.dataSync()[i] as number, 5);
    }
  }
});

const [SIDE, CHANNELS, MAPS, K, STRIDE, PAD] = [6, 2, 3, 3, 2, 1];
const OUT = Math.floor((SIDE + 2 * PAD - K) / STRIDE) + 1;

/** A convolution as a product of matrices: the windows, gathered, times the filter. */
function convolved(x: tf.Tensor, filter: tf.Tensor): tf.Tensor {
  const edge: [number, number] = [PAD, PAD];
  const padded = tf.pad(x as tf.Tensor4D, [[0, 0], edge, edge, [0, 0]]);
  const side = SIDE + 2 * PAD;
  const places = Array.from({ length: OUT * OUT * K * K }, (_, at) => {
    const [i, j] = [at % (K * K), Math.floor(at / (K * K))];
    const row = STRIDE * Math.floor(j / OUT) + Math.floor(i / K);
    return row * side + STRIDE * (j % OUT) + (i % K);
  });
  const n = x.shape[0] as number;
  const flat = tf.reshape(padded, [n, side * side, CHANNELS]);
  const windows = tf.reshape(tf.gather(flat, tf.tensor1d(places, 'int32'), 1), [
    -1,
    K * K * CHANNELS,
  ]);
  const product = tf.matMul(windows as tf.Tensor2D, tf.reshape(filter, [-1, MAPS]) as tf.Tensor2D);
  return tf.reshape(product, [n, OUT, OUT, MAPS]);
}

it.each([
  ['sgd', 1e-3],
  ['adam', RATE],
] as const)(
  'of a convolution have the slopes of a product of matrices, with %s at %s',
  (name, rate) => {
    const optimizer = OPTIMIZERS[name]({});
    const params = { filter: normal(K, K, CHANNELS, MAPS), out: normal(OUT * OUT * MAPS, 1) };
    const [real, fake] = [normal(4, SIDE, SIDE, CHANNELS), normal(4, SIDE, SIDE, CHANNELS)];
    const state = mapRecord(
      optimizer.state(mapRecord(params, ({ shape }) => zeros(shape))),
      ({ shape }) => tf.zeros([...shape]),
    );
    const slopeBy = (convolution: (x: tf.Tensor, filter: tf.Tensor) => tf.Tensor) => {
      const score = (x: tf.Tensor, { filter, out }: Tensors) => {
        const maps = tf.square(convolution(x, filter as tf.Tensor));
        const rows = tf.reshape(maps, [-1, OUT * OUT * MAPS]) as tf.Tensor2D;
        return tf.matMul(rows, out as tf.Tensor2D);
      };
      return tf.grad((made) => {
        const loss = (values: Tensors) =>
          squares.discriminator(score(real, values), score(made, values), 0);
        const foreseen = unrolled({ params, optimizer: state }, 3, loss, updateBy(optimizer, rate));
        return squares.generator(score(made, foreseen), () => score(real, foreseen));
      })(fake);
    };
    const found = slopeBy((x, filter) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, STRIDE, PAD),
    );
    const wanted = slopeBy(convolved);
    const scale = tf.max(tf.abs(wanted)).dataSync()[0] as number;
    expect(scale).toBeGreaterThan(1e-3);
    expect((tf.max(tf.abs(tf.sub(found, wanted))).dataSync()[0] as number) / scale).toBeLessThan(
      1e-4,
    );
  },
);

it('of a critic of layers have the slopes that central differences say', () => {
  const critic = sequential(
    [SIDE, SIDE, CHANNELS],
    [...[conv(4, 2, 1, 4, { bias: true }), leakyRelu(0.2)], ...[flatten(), dense(1)]],
  );
  const start = initialize(critic.params, 'kaiming', (n) => random.normal(n));
  const params = mapRecord(start, ({ shape, data }) => tf.tensor(data, [...shape]));
  const [real, fake] = [normal(8, SIDE, SIDE, CHANNELS), normal(8, SIDE, SIDE, CHANNELS)];
  const lossOf = (made: tf.Tensor) => {
    const score = (x: tf.Tensor, values: Tensors) =>
      critic.apply(values, {}, x, { training: true }).y;
    const loss = (values: Tensors) =>
      squares.discriminator(score(real, values), score(made, values), 0);
    const from = { params, optimizer: {} };
    const foreseen = unrolled(from, 2, loss, updateBy(OPTIMIZERS.sgd({}), 0.05));
    return squares.generator(score(made, foreseen), () => score(real, foreseen)) as tf.Scalar;
  };
  const slope = tf.grad(lossOf)(fake);
  const size = tf.norm(slope).dataSync()[0] as number;
  expect(size).toBeGreaterThan(1e-2);
  for (let k = 0; k < 3; k++) {
    const way = normal(...fake.shape);
    const by = 1e-3;
    const at = (share: number) => lossOf(tf.add(fake, tf.mul(share, way))).dataSync()[0] as number;
    const difference = (at(by) - at(-by)) / (2 * by);
    const wanted = tf.sum(tf.mul(slope, way)).dataSync()[0] as number;
    expect(Math.abs(difference - wanted) / size).toBeLessThan(0.02);
  }
});

it('compile: a step with them is that of TF.js', async () => {
  const model = { batch_norm: false, spectral_norm: false };
  const { start, phases } = smallGan('dcgan-mnist', { model, training: { unrolled_steps: 2 } });
  const [phase] = phases as [(typeof phases)[number]];
  const feeds = phase.feeds(0);
  const wanted = runEagerly(phase.step, phase.inputs, { state: start, feeds });
  const compiled = await compile(phase.step, phase.inputs, { device: 'cpu' });
  compiled.load(start);
  const metrics = await compiled.run(feeds);
  const state = compiled.state();
  await compiled.dispose();
  expect(metrics.generator).toBeCloseTo(wanted.metrics.generator as number, 3);
  const plain = smallGan('dcgan-mnist', { model });
  const [same] = plain.phases as [(typeof phases)[number]];
  const without = runEagerly(same.step, same.inputs, { state: start, feeds });
  expect(without.metrics.discriminator).toBe(wanted.metrics.discriminator);
  expect(without.metrics.generator).not.toBe(wanted.metrics.generator);
  for (const [name, tensor] of Object.entries(wanted.state)) {
    expect(distance(state[name] as typeof tensor, tensor), name).toBeLessThan(2e-3);
  }
});

it('are refused where derivatives would be wrong', () => {
  const withSteps = (name: string) => () => {
    const recipe = resolveRecipe(name);
    return checkRecipe({ ...recipe, training: { ...recipe.training, unrolled_steps: 2 } });
  };
  expect(withSteps('resnet-mnist')).toThrow(
    'training.unrolled_steps must be left out with training.r1, whose third derivatives it would need',
  );
  expect(withSteps('dcgan-mnist')).toThrow(
    'training.unrolled_steps must be left out with a discriminator that has batch or spectral normalisation',
  );
});
