import { describe, expect, it } from 'vitest';
import { countParameters, NETWORKS, type NetworkOptions, type Pair } from '../src/index.js';

const labels = { labels: 10 };
const codes = { categories: 10, codes: 2 };

// Trainable parameters of generator and discriminator, as their tables give them.
const COUNTS: [string, Partial<NetworkOptions>, number, number][] = [
  ['gpn-mnist', { latentSize: 20 }, 37_697, 10_546],
  // Of 22 pixels the detail leaves 20; conv 304 leaves 18, 2,320 leaves 16, 8,224 leaves 7, 51,264 leaves 2,
  // 32,896 one; 258.
  ['gpn-detail', { latentSize: 20, fragment: { internal: 6, frame: 8 } }, 37_697, 95_266],
  // conv 432 + 5,184 + 18,432 + 2 · 20,736 + 73,728 + 2 · 82,944 + 192 and 2, and a bias for each of 480 maps, or two numbers.
  ['gpn-deep', { latentSize: 20, fragment: { internal: 4, frame: 18 } }, 37_697, 305_810],
  [
    'gpn-deep',
    { latentSize: 20, batchNorm: true, fragment: { internal: 4, frame: 18 } },
    37_697,
    306_290,
  ],
  ['mlp-digit', { latentSize: 64 }, 476_560, 201_217],
  ['mlp-mnist', { latentSize: 100 }, 1_510_032, 533_505],
  ['mlp-mnist', { latentSize: 100, conditions: labels }, 1_511_312, 538_625],
  ['dcgan-mnist', { batchNorm: true, spectralNorm: true }, 172_608, 142_208],
  ['dcgan-mnist', { batchNorm: true }, 172_608, 142_208],
  ['dcgan-mnist', { spectralNorm: true }, 172_608, 141_824],
  ['dcgan-mnist', {}, 172_608, 141_824],
  ['dcgan-64', { latentSize: 100, batchNorm: true }, 3_576_704, 2_765_568],
  [
    'cdcgan-mnist-large',
    { latentSize: 100, batchNorm: true, conditions: labels },
    2_616_064,
    2_104_369,
  ],
  ['dcgan-mnist', { batchNorm: true, spectralNorm: true, conditions: labels }, 193_088, 147_328],
  [
    'infogan-mnist',
    { latentSize: 10, batchNorm: true, spectralNorm: true, conditions: codes },
    184_896,
    166_796,
  ],
  [
    'infogan-mnist',
    { latentSize: 10, batchNorm: true, conditions: codes, codeVariance: true },
    184_896,
    170_894,
  ],
  // conv 544 + 8,256 + 131,200, dense 131,136, and a decoder of 270,689 as the generator is.
  ['began-mnist', { latentSize: 64 }, 270_689, 541_825],
];

describe('the number of trainable parameters', () => {
  it.each(COUNTS)(
    'of %s with %o is that of its table',
    (name, options, generator, discriminator) => {
      const make = NETWORKS[name] as (options: NetworkOptions) => Pair;
      const pair = make({ latentSize: 16, batchNorm: false, spectralNorm: false, ...options });
      expect(countParameters(pair.generator)).toBe(generator);
      expect(countParameters(pair.discriminator)).toBe(discriminator);
    },
  );
});
