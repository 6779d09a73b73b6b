import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { type ModelInfo, readModelInfo, withModelInfo } from '../src/format/model-info.js';
import { metadataOf, withMetadata } from '../src/format/onnx/metadata.js';
import { PREPARATION } from '../src/format/pictures/prepare.js';
import { stream } from '../src/random/random.js';
import { constant, model, node, value } from './onnx.js';

const info: ModelInfo = {
  version: 1,
  name: 'tiny',
  kind: 'generator',
  input: 'x',
  output: 'y',
  image: {
    ...{ height: 2, width: 3, channels: 1, range: [0, 1], layout: 'NHWC', color: 'gray' },
    preparation: { grey: 'bt601', fit: 'contain', filter: 'triangle', background: [1, 2, 3] },
  },
  latent: { size: 4, distribution: 'uniform' },
  condition: { input: 'label', classes: 2, names: ['zero', 'one'] },
  codes: { input: 'codes', size: 2, range: [-1, 1] },
  training: {
    recipe: 'abc',
    dataset: { name: 'mnist', hash: 'def' },
    steps: 10,
    epochs: 0.5,
    seed: 7,
    versions: { gpn: '0.1.0' },
  },
  quality: [{ metric: 'Fréchet', value: 1.5, protocol: 'none' }],
  certificate: {
    seed: 0,
    count: 1,
    values: [0.25, 1e-7],
    mean: 0.1,
    rms: 0.2,
    tolerance: { cpu: 1e-5, cuda: 1e-4, wasm: 1e-5, webgpu: 1e-4 },
  },
};

const onnx = (metadata: Record<string, string> = {}) =>
  model({
    inputs: [value('x', ['N', 300])],
    outputs: [value('y', ['N', 300])],
    nodes: [node('Add', ['x', 'w'], ['y'])],
    constants: [constant('w', [300], Array(300).fill(1))],
    metadata,
  });

const sentence = (work: () => unknown): string => {
  let caught: unknown;
  try {
    work();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(UserError);
  expect((caught as Error).message).toMatch(/^[^\n]+\.$/);
  return (caught as Error).message;
};

describe('ONNX metadata', () => {
  it('is read with any keys and values', () => {
    const metadata = { a: '', ключ: 'значение', long: 'x'.repeat(100_000), ['__proto__']: 'safe' };
    expect(metadataOf(onnx(metadata))).toEqual(metadata);
    expect(metadataOf(onnx())).toEqual({});
  });

  it('is written so that onnx-buf reads it, and replaced', () => {
    const first = withMetadata(onnx({ a: '1', gpn: 'old', z: '26' }), 'gpn', 'é'.repeat(300));
    const read = fromBinary(ModelProtoSchema, first);
    expect(read.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ['a', '1'],
      ['z', '26'],
      ['gpn', 'é'.repeat(300)],
    ]);
    const original = fromBinary(ModelProtoSchema, onnx());
    expect(read.graph).toEqual(original.graph);
    expect(withMetadata(withMetadata(onnx(), 'a', '1'), 'a', '2')).toEqual(
      withMetadata(onnx(), 'a', '2'),
    );
  });
});

describe('model info', () => {
  it('is read as it was written', () => {
    expect(readModelInfo(withModelInfo(onnx(), info))).toEqual(info);
  });

  it('leaves out unknown fields', () => {
    const json = JSON.stringify({ ...info, image: { ...info.image, depth: 3 }, more: [1] });
    expect(readModelInfo(onnx({ gpn: json }))).toEqual(info);
  });

  it('is reported missing for a model without metadata of ours', () => {
    expect(sentence(() => readModelInfo(onnx(), 'other.onnx'))).toMatch(
      /^other\.onnx does not say .* export it with gpn-cli export\.$/,
    );
  });

  const { latent: _, ...noLatent } = info;
  const size = { internal: 1, frame: 1 };
  const scaled: ModelInfo = {
    ...{ ...info, version: 2, fragment: { ...size, scales: [1, 2] } },
    image: { ...info.image, height: 3, width: 3 },
  };

  it('of several scales is of the second version, which an older reader refuses', () => {
    expect(readModelInfo(withModelInfo(onnx(), scaled))).toEqual(scaled);
  });

  it.each<[string, unknown, RegExp]>([
    ['a later version', { ...info, version: 3 }, /later version .*update/],
    ['a null', null, /should be an object, but is null/],
    ['a list', [], /should be an object/],
    ['a version that is text', { ...info, version: '1' }, /version should be 1 or 2, but is "1"/],
    ['a model without a name', { ...info, name: undefined }, /name should be .*, but is missing/],
    ['another kind', { ...info, kind: 'vae' }, /kind should be "generator" or .*, but is "vae"/],
    [
      'a huge latent',
      { ...info, latent: { size: 1e12, distribution: 'normal' } },
      /latent\.size should be a whole number from 1 to 65536, but is 1000000000000/,
    ],
    ['a negative side', { ...info, image: { ...info.image, height: -3 } }, /image\.height .* -3/],
    ['half a pixel', { ...info, image: { ...info.image, width: 2.5 } }, /image\.width/],
    ['an empty range', { ...info, image: { ...info.image, range: [1, 1] } }, /image\.range/],
    [
      'three channels that are called gray',
      { ...info, image: { ...info.image, channels: 3 } },
      /"gray"/,
    ],
    ...(
      [
        ['another fit', { fit: 'fill' }, /preparation\.fit should be "cover" or "contain"/],
        ['an unknown grey', { grey: 'linear' }, /preparation\.grey should be "bt601"/],
        ['half a colour', { background: [0, 0] }, /preparation\.background should be a list of 3/],
        ['a colour too bright', { background: [0, 0, 256] }, /background\[2\] .* 0 to 255/],
      ] as const
    ).map(([name, wrong, reason]): [string, unknown, RegExp] => [
      `a preparation with ${name}`,
      { ...info, image: { ...info.image, preparation: { ...PREPARATION, ...wrong } } },
      reason,
    ]),
    [
      'four channels without alpha',
      { ...info, image: { ...info.image, channels: 4, color: 'rgb' } },
      /image\.channels is 4, but image\.color is "rgb"/,
    ],
    ['a generator without latent', noLatent, /a generator needs latent/],
    ['a critic without scores', { ...info, kind: 'critic' }, /a critic needs scores/],
    ['too few class names', { ...info, condition: { ...info.condition, names: [] } }, /names/],
    ['half a scale', { ...scaled, fragment: { ...size, scales: [1, 1.5] } }, /scales\[1\] .* 1\.5/],
    ['scales of the first version', { ...scaled, version: 1 }, /fragment\.scales is of version 2/],
    [
      'the second version without scales',
      { ...info, version: 2 },
      /fragment\.scales is of version 2/,
    ],
    ['a fragment of another size', { ...info, fragment: { internal: 2, frame: 1 } }, /side 4/],
    [
      'a value that is not a number',
      { ...info, certificate: { ...info.certificate, values: [1, 'NaN'] } },
      /certificate\.values\[1\]/,
    ],
    [
      'a certificate without tolerances',
      { ...info, certificate: { ...info.certificate, tolerance: {} } },
      /certificate\.tolerance\.cpu/,
    ],
  ])('refuses %s', (_name, lie, reason) => {
    const message = sentence(() => readModelInfo(onnx({ gpn: JSON.stringify(lie) }), 'lie.onnx'));
    expect(message).toMatch(reason);
    expect(message).toMatch(/^lie\.onnx /);
  });

  it('refuses text that is not JSON, and JSON that is nested too deeply', () => {
    expect(sentence(() => readModelInfo(onnx({ gpn: '{' })))).toMatch(/not JSON/);
    const deep = `{"version":1,"name":${'['.repeat(1e5)}${']'.repeat(1e5)}}`;
    expect(sentence(() => readModelInfo(onnx({ gpn: deep })))).toMatch(/name should be/);
  });
});

describe('bytes that are not a model', () => {
  it.each([
    ['nothing', []],
    ['a lone varint that does not end', Array(20).fill(0xff)],
    ['a length far beyond the end', [0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a group, which ONNX never uses', [0x3b, 0x3c]],
    ['field number 0', [0x00, 0x01]],
    ['a PNG', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['only a version', [0x08, 0x09]],
  ])('are refused in one sentence: %s', (_, bytes) => {
    expect(sentence(() => metadataOf(Uint8Array.from(bytes), 'bad.onnx'))).toMatch(
      /^bad\.onnx is not a complete ONNX file: /,
    );
  });

  it('are refused if a file is cut anywhere inside the graph or the metadata', () => {
    const whole = onnx({ gpn: JSON.stringify(info) });
    for (let length = 100; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      // Cut exactly between two fields, what is left is a whole file without the entry.
      expect(sentence(() => readModelInfo(cut))).toMatch(/not a complete ONNX file|does not say/);
    }
  });

  it('changed at random are either read or refused in one sentence', () => {
    const whole = withModelInfo(onnx(), info);
    const random = stream(5, 'mutations');
    let refused = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = whole.slice();
      for (const at of random.below(3, bytes.length)) bytes[at] = random.below(1, 256)[0] as number;
      try {
        readModelInfo(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});
