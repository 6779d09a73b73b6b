// A generator and a discriminator small enough to compute by hand.
import { type ModelInfo, withModelInfo } from '../src/format/model-info.js';
import { stream } from '../src/random/random.js';
import { constant, model, node, value } from './onnx.js';

export const LATENT = 4;
export const PIXELS = 2 * 3;
/** [LATENT, PIXELS], row by row. */
export const WEIGHTS = stream(42, 'weights').uniform(LATENT * PIXELS);

export const GENERATOR: ModelInfo = {
  version: 1,
  name: 'tiny',
  kind: 'generator',
  input: 'z',
  output: 'image',
  image: { height: 2, width: 3, channels: 1, range: [-1, 1], layout: 'NHWC', color: 'gray' },
  latent: { size: LATENT, distribution: 'uniform' },
};

/** image = tanh(z W) */
export const generatorFile = (info: ModelInfo = GENERATOR) =>
  withModelInfo(
    model({
      inputs: [value('z', ['N', LATENT])],
      outputs: [value('image', ['N', 2, 3, 1])],
      nodes: [
        node('MatMul', ['z', 'w'], ['flat']),
        node('Tanh', ['flat'], ['squashed']),
        node('Reshape', ['squashed', 'shape'], ['image']),
      ],
      constants: [
        constant('w', [LATENT, PIXELS], [...WEIGHTS]),
        constant('shape', [4], [-1, 2, 3, 1], 'int64'),
      ],
    }),
    info,
  );

export const generate = (z: Float32Array): number[] =>
  Array.from({ length: (z.length / LATENT) * PIXELS }, (_, at) => {
    const row = Math.floor(at / PIXELS) * LATENT;
    let sum = 0;
    for (let i = 0; i < LATENT; i++) {
      sum += (z[row + i] as number) * (WEIGHTS[i * PIXELS + (at % PIXELS)] as number);
    }
    return Math.tanh(sum);
  });

/** image = class (0 … 2) in the first pixel, the two codes in the next two, 0 in the others. */
export const conditionalFile = (names?: string[]) =>
  withModelInfo(
    model({
      inputs: [value('z', ['N', LATENT]), value('label', ['N', 3]), value('codes', ['N', 2])],
      outputs: [value('image', ['N', 2, 3, 1])],
      nodes: [
        node('MatMul', ['label', 'numbers'], ['class']),
        node('MatMul', ['z', 'zeros'], ['nothing']),
        node('Concat', ['class', 'codes', 'nothing'], ['flat'], { axis: 1 }),
        node('Reshape', ['flat', 'shape'], ['image']),
      ],
      constants: [
        constant('numbers', [3, 1], [0, 1, 2]),
        constant('zeros', [LATENT, 3], Array(LATENT * 3).fill(0)),
        constant('shape', [4], [-1, 2, 3, 1], 'int64'),
      ],
    }),
    {
      ...GENERATOR,
      name: 'conditional',
      image: { ...GENERATOR.image, range: [-2, 2] },
      condition: { input: 'label', classes: 3, ...(names && { names }) },
      codes: { input: 'codes', size: 2, range: [-2, 2] },
    },
  );

const { latent: _, ...rest } = GENERATOR;
export const DISCRIMINATOR: ModelInfo = {
  ...rest,
  name: 'tiny-discriminator',
  kind: 'discriminator',
  input: 'image',
  output: 'score',
  image: { ...GENERATOR.image, range: [0, 1] },
  scores: 'logit',
};

/** score = the sum of an image's pixels */
export const discriminatorFile = (
  info: ModelInfo = DISCRIMINATOR,
  shape: (number | string)[] = ['N', info.image.height, info.image.width, 1],
) =>
  withModelInfo(
    model({
      inputs: [value('image', shape)],
      outputs: [value('score', ['N', 1, 1, 1])],
      nodes: [node('ReduceSum', ['image', 'axes'], ['score'], { keepdims: 1 })],
      constants: [constant('axes', [3], [1, 2, 3], 'int64')],
    }),
    info,
  );
