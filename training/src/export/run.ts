/** Exports a network of a run's folder. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelInfo, UserError } from '@gpn/runtime';
import { bestCheckpoint, latestCheckpoint, readCheckpoint } from '../checkpoint/checkpoint.js';
import { exists, fileError, writeFileAtomic } from '../files/atomic.js';
import { exportNetwork, type Role, type StorageOptions } from './network.js';

/**
 * Exports a network of a run's newest checkpoint, of its best one, or of a checkpoint file.
 * @param source a run's folder, or a .safetensors file
 * @param options `network`: which of the two; `out`: path of the .onnx file; `best`: the checkpoint with
 *   the best Fréchet distance instead of the newest; `float16` and `opset`: how the
 *   file is written, see `exportNetwork`
 * @throws UserError if there is no checkpoint, it is broken, or `out` cannot be written
 */
export async function exportRun(
  source: string,
  {
    network,
    out,
    best = false,
    ...storage
  }: { network: Role; out: string; best?: boolean } & StorageOptions,
): Promise<{ path: string; info: ModelInfo }> {
  const checkpoint = await readCheckpoint(await findCheckpoint(source, best));
  const { bytes, info } = await exportNetwork(checkpoint, network, storage);
  await writeFileAtomic(out, bytes);
  return { path: out, info };
}

async function findCheckpoint(source: string, best: boolean): Promise<string> {
  const found = await stat(source).catch((error: unknown) => {
    throw fileError('read', source, error);
  });
  if (!found.isDirectory() && best) {
    throw new UserError(`${source} is a checkpoint file: --best needs the folder of a run.`);
  }
  if (!found.isDirectory()) return source;
  if (best) {
    const path = bestCheckpoint(join(source, 'checkpoints'));
    if (await exists(path)) return path;
    throw new UserError(
      `${source} holds no best checkpoint: a training keeps one if its recipe has output.evaluate_every.`,
    );
  }
  const newest =
    (await latestCheckpoint(join(source, 'checkpoints'))) ?? (await latestCheckpoint(source));
  if (newest) return newest;
  throw new UserError(
    `${source} holds no checkpoint: give the folder of a run, or a .safetensors file of one.`,
  );
}
