/** TF.js models on disk, for the tests of their export. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSession, type Session } from '@gpn/runtime';
import { type io, util } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterAll } from 'vitest';
import type { ConvertedModel, HostTensor } from '../src/index.js';

/** A folder that is gone when the file's tests are over; each call of the result makes one in it. */
export function scratch(): () => string {
  const root = mkdtempSync(join(tmpdir(), 'gpn-models-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return () => mkdtempSync(join(root, 'model-'));
}

/** Writes model.json and its weights, cut into `shards` files; gives the path of model.json. */
export function writeModel(
  folder: string,
  { modelTopology, weightSpecs = [], weightData, ...rest }: io.ModelArtifacts,
  shards = 1,
): string {
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  const length = Math.ceil(bytes.length / shards);
  const paths = Array.from({ length: shards }, (_, i) => `group1-shard${i + 1}of${shards}.bin`);
  paths.forEach((path, i) => {
    writeFileSync(join(folder, path), bytes.subarray(i * length, (i + 1) * length));
  });
  const weightsManifest = [{ paths, weights: weightSpecs }];
  const file = join(folder, 'model.json');
  writeFileSync(file, JSON.stringify({ ...rest, modelTopology, weightsManifest }));
  return file;
}

/** What TF.js's own `save` hands out. */
export async function artifactsOf(model: LayersModel): Promise<io.ModelArtifacts> {
  let saved: io.ModelArtifacts | undefined;
  const save = async (artifacts: io.ModelArtifacts): Promise<io.SaveResult> => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  };
  await model.save({ save });
  return { ...(saved as io.ModelArtifacts), format: 'layers-model' };
}

export const open = (converted: ConvertedModel): Promise<Session> =>
  openSession(converted.model.toBytes(), { device: 'cpu' });

/** The same numbers on every run: a wave that does not repeat within a test's tensors. */
export const wave = (shape: readonly number[], scale = 1): Float32Array =>
  Float32Array.from(
    { length: util.sizeFromShape([...shape]) },
    (_, i) => scale * Math.sin(i * 1.7 + 0.3),
  );

export const float32 = (shape: readonly number[], data = wave(shape)): HostTensor => ({
  dtype: 'float32',
  shape,
  data,
});

/** A .npy file of float32, version 1. */
export function npy(path: string): HostTensor {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  if (!header.includes("'<f4'")) throw new Error(`${path} is not of float32`);
  const shape = (/\(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').filter((d) => d.trim());
  const data = new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer);
  return { dtype: 'float32', shape: shape.map(Number), data };
}
