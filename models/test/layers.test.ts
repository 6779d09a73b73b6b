import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // TF.js's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import {
  averagePool,
  batchNorm,
  branches,
  conv,
  deconv,
  dense,
  detail,
  dropout,
  flatten,
  join,
  leakyRelu,
  maxPool,
  pixel,
  relu,
  reshape,
  sigmoid,
  tanh,
} from '../src/layers/index.js';
import { type LayerMaker, sequential, type Tensors } from '../src/network.js';

const FORWARD = 1e-5;
const GRADIENT = 1e-4;

interface Golden {
  readonly shape: number[];
  readonly y: number[];
  /** For the input, then for each parameter. */
  readonly gradients: number[][];
}

// /usr/bin/python3 models/test/layers_golden.py > models/test/layers-golden.json   (PyTorch 1.13)
const file = new URL('./layers-golden.json', import.meta.url);
const { running, inference, ...GOLDEN } = JSON.parse(readFileSync(file, 'utf8')) as Record<
  string,
  Golden
> & { running: Record<string, number[]>; inference: { y: number[] } };

type Shape = readonly number[];

/** The cases of layers_golden.py: the layer, the shape of its input, the names of its parameters. */
const CASES: Readonly<Record<string, [LayerMaker, Shape, ...string[]]>> = {
  conv: [conv(3, 2, 1, 3, { bias: true }), [2, 5, 4, 2], 'kernel', 'bias'],
  'conv without bias': [conv(2, 1, 0, 2), [1, 3, 3, 2], 'kernel'],
  'conv dilated': [conv(2, 1, 0, 2, { bias: true, dilation: 2 }), [1, 4, 3, 2], 'kernel', 'bias'],
  deconv: [deconv(4, 2, 1, 3), [2, 2, 3, 2], 'kernel'],
  'deconv same': [deconv(3, 2, 'same', 2, { bias: true }), [2, 2, 3, 2], 'kernel', 'bias'],
  dense: [dense(2), [3, 4], 'kernel', 'bias'],
  'dense without bias': [dense(2, { bias: false }), [3, 4], 'kernel'],
  'batchNorm of images': [batchNorm(), [2, 2, 2, 3], 'scale', 'offset'],
  'batchNorm of vectors': [batchNorm(), [4, 3], 'scale', 'offset'],
  averagePool: [averagePool(2), [1, 5, 4, 2]],
  maxPool: [maxPool(2), [1, 5, 4, 2]],
  relu: [relu(), [2, 5]],
  leakyRelu: [leakyRelu(0.2), [2, 5]],
  tanh: [tanh(), [2, 5]],
  sigmoid: [sigmoid(), [2, 5]],
};

/** As in layers_golden.py. */
const wave = (shape: Shape, phase: number): tf.Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(phase + 0.7 * i)),
    [...shape],
  );
};

const values = (t: tf.Tensor | undefined): number[] => Array.from((t as tf.Tensor).dataSync());

/** Largest difference over the largest magnitude of what is expected. */
function expectClose(found: number[], expected: number[], within: number): void {
  expect(found.length).toBe(expected.length);
  const magnitude = Math.max(1e-12, ...expected.map(Math.abs));
  found.forEach((x, i) => {
    expect(Math.abs(x - (expected[i] as number)) / magnitude).toBeLessThan(within);
  });
}

const training = { training: true };
const inferring = { training: false };

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('every golden case of layers-golden.json is tested', () => {
  expect(Object.keys(CASES)).toEqual(Object.keys(GOLDEN));
});

describe.each(Object.entries(CASES))('the layer %s', (name, [maker, inputShape, ...names]) => {
  const golden = GOLDEN[name] as Golden;
  const layer = maker.build(inputShape.slice(1));

  const apply = (x: tf.Tensor, ...params: tf.Tensor[]) =>
    layer.apply(
      Object.fromEntries(params.map((p, i) => [names[i] as string, p])),
      { mean: tf.zeros([3]), variance: tf.ones([3]) },
      x,
      training,
    ).y;
  const inputs = () => [
    wave(inputShape, 1),
    ...names.map((key, i) => wave(layer.params[key]?.shape as Shape, i + 2)),
  ];

  it('has the parameters and the output shape that it declares', () => {
    expect(Object.keys(layer.params)).toEqual(names);
    expect(layer.outputShape).toEqual(golden.shape.slice(1));
  });

  it('computes what PyTorch does', () => {
    const y = apply(...(inputs() as [tf.Tensor]));
    expect(y.shape).toEqual(golden.shape);
    expectClose(values(y), golden.y, FORWARD);
  });

  // TF.js has no gradient of a dilated convolution, which the layer says.
  if (name === 'conv dilated') return;

  it('has PyTorch’s gradients', () => {
    const weights = wave(golden.shape, 9);
    const loss = (...xs: tf.Tensor[]) => tf.sum(tf.mul(apply(...(xs as [tf.Tensor])), weights));
    tf.grads(loss)(inputs()).forEach((gradient, i) => {
      expectClose(values(gradient), golden.gradients[i] as number[], GRADIENT);
    });
  });
});

describe('batchNorm', () => {
  const layer = batchNorm().build([2, 2, 3]);
  const params = { scale: wave([3], 2), offset: wave([3], 3) };
  const fresh = { mean: tf.zeros([3]), variance: tf.ones([3]) };

  it('moves its running statistics as PyTorch does, and uses them in inference', () => {
    const x = wave([2, 2, 2, 3], 1);
    const { buffers } = layer.apply(params, fresh, x, training);
    for (const key of ['mean', 'variance']) {
      expectClose(values(buffers[key]), running[key] as number[], FORWARD);
    }
    const applied = layer.apply(params, buffers, x, inferring);
    expectClose(values(applied.y), inference.y, FORWARD);
    expect(applied.buffers).toBe(buffers);
  });
});

describe('dropout', () => {
  const layer = dropout(0.4).build([5]);
  const x = tf.tensor([[1, 2, 3, 4, 5]]);
  const noise = tf.tensor([[0.1, 0.39, 0.41, 0.7, 0.99]]);

  it('keeps the values that its noise selects, scaled by 1 / (1 − rate), and only in training', () => {
    expect(layer.noise).toEqual([5]);
    const dropped = layer.apply({}, {}, x, { training: true, noise });
    expectClose(values(dropped.y), [0, 0, 3 / 0.6, 4 / 0.6, 5 / 0.6], FORWARD);
    const passed = layer.apply({}, {}, x, { training: false, noise });
    expect(values(passed.y)).toEqual([1, 2, 3, 4, 5]);
  });

  it('passes gradients through the values that it kept', () => {
    const loss = (v: tf.Tensor) => tf.sum(layer.apply({}, {}, v, { training: true, noise }).y);
    expectClose(values(tf.grad(loss)(x)), [0, 0, 1 / 0.6, 1 / 0.6, 1 / 0.6], GRADIENT);
  });

  it('gets its own noise from the network', () => {
    const network = sequential([2], [dropout(0.5), dropout(0.5)]);
    expect(network.noise).toEqual({ dropout1: [2], dropout2: [2] });
    const given = { dropout1: tf.tensor([[0.9, 0.1]]), dropout2: tf.tensor([[0.9, 0.9]]) };
    const { y } = network.apply({}, {}, tf.ones([1, 2]), { training: true, noise: given });
    expect(values(y)).toEqual([4, 0]);
  });
});

describe('join', () => {
  const labels = tf.tensor([
    [1, 0],
    [0, 1],
  ]);

  it('appends a side input to a vector', () => {
    const layer = join('labels', 2).build([3]);
    expect(layer.outputShape).toEqual([5]);
    expect(layer.conditions).toEqual({ labels: 2 });
    const x = tf.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const { y } = layer.apply({}, {}, x, { training: false, conditions: { labels } });
    expect(values(y)).toEqual([1, 2, 3, 1, 0, 4, 5, 6, 0, 1]);
  });

  it('appends a side input to an image as constant channels', () => {
    const layer = join('labels', 2).build([1, 2, 1]);
    expect(layer.outputShape).toEqual([1, 2, 3]);
    const apply = (given: tf.Tensor) =>
      layer.apply({}, {}, tf.tensor([7, 8, 9, 6], [2, 1, 2, 1]), {
        training: false,
        conditions: { labels: given },
      }).y;
    expect(apply(labels).shape).toEqual([2, 1, 2, 3]);
    expect(values(apply(labels))).toEqual([7, 1, 0, 8, 1, 0, 9, 0, 1, 6, 0, 1]);
    // Each number stands in two pixels; the planes' weights in the loss are 1 to 12, image by image.
    const weights = tf.reshape(tf.range(1, 13), [2, 1, 2, 3]);
    const gradient = tf.grad((given) => tf.sum(tf.mul(apply(given), weights)))(labels);
    expect(values(gradient)).toEqual([2 + 5, 3 + 6, 8 + 11, 9 + 12]);
  });

  it('names a side input that is missing', () => {
    const layer = join('labels', 2).build([3]);
    const apply = () => layer.apply({}, {}, tf.ones([1, 3]), training);
    expect(apply).toThrow('the network needs labels');
  });
});

it('detail appends to each channel its differences from the eight pixels around', () => {
  const [height, width, channels] = [4, 5, 2];
  const values = Float32Array.from({ length: 40 }, (_, k) => Math.sin(k * k));
  const at = (y: number, x: number, c: number) => values[(y * width + x) * channels + c] as number;
  const layer = detail().build([height, width, channels]);
  expect(layer.outputShape).toEqual([2, 3, 4]);
  const x = tf.tensor4d(values, [1, height, width, channels]);
  const found = layer.apply({}, {}, x, { training: false } as never).y.dataSync();
  const expected = [];
  for (let y = 1; y <= 2; y++) {
    for (let x = 1; x <= 3; x++) {
      for (const c of [0, 1]) expected.push(at(y, x, c));
      for (const c of [0, 1]) {
        let sum = 0;
        for (const v of [-1, 0, 1]) {
          for (const u of [-1, 0, 1]) sum += at(y, x, c) - at(y + v, x + u, c);
        }
        expected.push(sum);
      }
    }
  }
  expect(found.length).toBe(expected.length);
  for (const [k, value] of expected.entries()) expect(found[k]).toBeCloseTo(value, 5);
});

describe('branches', () => {
  const heads = {
    first: conv(2, 1, 0, 1, { spectral: true }),
    other: conv(2, 1, 0, 3, { bias: true }),
  };
  const layer = branches(heads).build([2, 2, 2]);
  const x = wave([3, 2, 2, 2], 1);
  const params: Tensors = {
    'first/kernel': wave([2, 2, 2, 1], 2),
    'other/kernel': wave([2, 2, 2, 3], 3),
    'other/bias': wave([3], 4),
  };
  const buffers: Tensors = { 'first/u': tf.ones([1, 1]), 'first/v': wave([8, 1], 5) };

  it('prefixes the tensors of its layers with their names', () => {
    expect(Object.keys(layer.params)).toEqual(Object.keys(params));
    expect(Object.keys(layer.buffers)).toEqual(Object.keys(buffers));
    expect(layer.outputShape).toEqual([4]);
    expect(layer.flops).toEqual([2 * 8, 2 * 8 * 3]);
  });

  it('concatenates the outputs of its layers, each for the same input', () => {
    const applied = layer.apply(params, buffers, x, training);
    expect(applied.y.shape).toEqual([3, 4]);
    const first = heads.first
      .build([2, 2, 2])
      .apply(
        { kernel: params['first/kernel'] as tf.Tensor },
        { u: buffers['first/u'] as tf.Tensor, v: buffers['first/v'] as tf.Tensor },
        x,
        training,
      );
    // A convolution of one pixel's output is a product with the kernel as a matrix.
    const other = tf.add(
      tf.matMul(tf.reshape(x, [3, 8]), tf.reshape(params['other/kernel'] as tf.Tensor, [8, 3])),
      params['other/bias'] as tf.Tensor,
    );
    const [one, three] = tf.split(applied.y, [1, 3], 1);
    expect(values(one)).toEqual(values(first.y));
    expectClose(values(three), values(other), FORWARD);
    expect(values(applied.buffers['first/v'])).toEqual(values(first.buffers.v));
    expect(values(applied.buffers['first/v'])).not.toEqual(values(buffers['first/v']));
  });
});

it('pixel, flatten and reshape keep the values of each image', () => {
  const x = tf.reshape(tf.range(0, 24), [2, 2, 3, 2]);
  const pass = (maker: LayerMaker, t: tf.Tensor) => {
    const layer = maker.build(t.shape.slice(1));
    const { y } = layer.apply({}, {}, t, inferring);
    expect(y.shape.slice(1)).toEqual(layer.outputShape);
    expect(values(y)).toEqual(values(t));
    return y;
  };
  expect(pass(flatten(), x).shape).toEqual([2, 12]);
  expect(pass(pixel(), pass(flatten(), x)).shape).toEqual([2, 1, 1, 12]);
  expect(
    pass(
      reshape(([h = 0, w = 0, c = 0]) => [c, h, w]),
      x,
    ).shape,
  ).toEqual([2, 2, 2, 3]);
});
