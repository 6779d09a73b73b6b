/** Exports a network of a run's folder. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelInfo, UserError } from '@gpn/runtime';
import {
  bestCheckpoint,
  type Checkpoint,
  hasCheckpoints,
  newestCheckpoint,
  readCheckpoint,
} from '../checkpoint/checkpoint.js';
import { checkIdentity } from '../checkpoint/identity.js';
import { exists, fileError, writeFileAtomic } from '../files/atomic.js';
import { resolveRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { exportNetwork, type Role, type StorageOptions } from './network.js';
import { stepFile } from './step.js';

/**
 * Exports a network of a run's newest checkpoint, of its best one, or of a checkpoint file.
 * @param source a run's folder, or a .safetensors file
 * @param options `network`: which of the two; `out`: path of the .onnx file; `best`: the checkpoint with
 *   the best Fréchet distance instead of the newest; `float16` and `opset`: how the file is written,
 *   see `exportNetwork`
 * @returns `problems`: what is wrong with newer checkpoints, in sentences
 * @throws UserError if there is no checkpoint, it is broken or of another training than the folder's
 *   recipe, or `out` cannot be written
 */
export async function exportRun(
  source: string,
  {
    network,
    out,
    best = false,
    ...storage
  }: { network: Role; out: string; best?: boolean } & StorageOptions,
): Promise<{ path: string; info: ModelInfo; problems: readonly string[] }> {
  const { checkpoint, problems = [] } = await findCheckpoint(source, best);
  const { bytes, info } = await exportNetwork(checkpoint, network, storage);
  await writeFileAtomic(out, bytes);
  return { path: out, info, problems };
}

/**
 * Writes the training step of a recipe or of a run, by which a page trains.
 * @param source the name of a recipe, its file, the folder of a run, or a checkpoint
 * @returns the recipe's name, and the size of the file
 * @throws UserError if there is no such recipe, a page cannot train it, or `out` cannot be written
 */
export async function exportStep(
  source: string,
  out: string,
): Promise<{ name: string; bytes: number }> {
  const recipe = await recipeOf(source);
  const bytes = stepFile(recipe);
  await writeFileAtomic(out, bytes);
  return { name: recipe.name, bytes: bytes.length };
}

/** The recipe of a run, of a checkpoint, or of this name. */
async function recipeOf(source: string): Promise<Recipe> {
  if (/\.safetensors$/i.test(source)) return (await readCheckpoint(source)).recipe;
  const inside = join(source, 'recipe.yml');
  return resolveRecipe((await exists(inside)) ? inside : source);
}

async function findCheckpoint(
  source: string,
  best: boolean,
): Promise<{ checkpoint: Checkpoint; problems?: readonly string[] }> {
  const found = await stat(source).catch((error: unknown) => {
    throw fileError('read', source, error);
  });
  if (!found.isDirectory() && best) {
    throw new UserError(`${source} is a checkpoint file: --best needs the folder of a run.`);
  }
  if (!found.isDirectory()) return { checkpoint: await readCheckpoint(source) };
  const inside = join(source, 'checkpoints');
  if (best) {
    const path = bestCheckpoint(inside);
    if (!(await exists(path))) {
      throw new UserError(
        `${source} holds no best checkpoint: a training keeps one if its recipe has output.evaluate_every.`,
      );
    }
    const checkpoint = await readCheckpoint(path);
    await checkIdentity(source, checkpoint, path);
    return { checkpoint };
  }
  const newest = await newestCheckpoint((await hasCheckpoints(inside)) ? inside : source);
  if (!newest) {
    throw new UserError(
      `${source} holds no checkpoint: give the folder of a run, or a .safetensors file of one.`,
    );
  }
  await checkIdentity(source, newest, newest.path);
  const { problems, path } = newest;
  return {
    checkpoint: newest,
    problems: problems.length > 0 ? [...problems, `The network is that of ${path}.`] : [],
  };
}
