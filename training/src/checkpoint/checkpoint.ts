/** Checkpoints: safetensors files with the complete state of a training. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '@gpn/runtime';
import * as z from 'zod';
import type { State } from '../engine/types.js';
import { exists, fileError, writeFileAtomic } from '../files/atomic.js';
import type { LogMark } from '../files/metrics-log.js';
import type { SafetensorsFile } from '../files/safetensors.js';
import { contentHash, readSafetensors } from '../files/safetensors-file.js';
import { settingsHash } from '../recipe/hash.js';
import type { Recipe } from '../recipe/schema.js';
import { parseRecipe, recipeToYaml } from '../recipe/yaml.js';
import { checkFormat, contentFor, encodeContent, stateIn } from './format.js';

const schedule = z.strictObject({
  rate: z.number(),
  best: z.number().nullable(),
  stale: z.int().min(0),
});

/** The state of a training apart from its tensors. Random numbers are a function of seed and step. */
const progressSchema = z.strictObject({
  /** Completed steps. The next batch and its noise are functions of this and the seed. */
  step: z.int().min(0),
  seed: z.int().min(0),
  random: z.literal('threefry2x32-20'),
  /** Completed passes over the data, with fractions. */
  epochs: z.number().min(0),
  /** Completed steps of this epoch, and the sums of their metrics. */
  epoch: z.strictObject({ steps: z.int().min(0), sums: z.record(z.string(), z.number()) }),
  /** What computed the steps of each phase: `CompiledStep.rounding` and the version. */
  places: z.record(z.string(), z.string()).default({}),
  /** The learning rates of the current phase, by name. */
  schedule: z.record(z.string(), schedule),
  /** Changes of the learning rates that were asked for as the run started or went on. */
  rate_scales: z
    .array(z.strictObject({ step: z.int().min(0), factor: z.number().positive() }))
    .optional(),
  dataset: z.strictObject({
    name: z.string(),
    hash: z.string(),
    count: z.int().min(1),
    /** The names of its classes, if it has any. */
    classes: z.array(z.string()).optional(),
    /** How often each of them is there; equally often if it is missing. */
    shares: z.array(z.number()).optional(),
  }),
  /** The measurements at the end of the discriminator's phase. */
  quality: z
    .array(z.strictObject({ metric: z.string(), value: z.number(), protocol: z.string() }))
    .optional(),
  /** A summary of the evaluations so far; see `Watch`. */
  watch: z
    .strictObject({
      varied: z.boolean(),
      best: z
        .strictObject({
          step: z.int().min(1),
          frechet: z.number().exactOptional(),
          sliced: z.number().exactOptional(),
        })
        .nullable(),
      recall: z.number(),
      rollbacks: z.int().min(0),
    })
    .optional(),
});

/** How far a training has come; see the schema above. */
export type Progress = z.infer<typeof progressSchema>;

/** All that a training needs to continue: its tensors, its progress and its recipe. */
export interface Checkpoint {
  readonly state: State;
  readonly progress: Progress;
  readonly recipe: Recipe;
  /** The metrics log up to its step. Files of version 0.2.0 and before have none. */
  readonly log?: LogMark | undefined;
}

const markSchema = z.strictObject({ lines: z.int().min(0), sha256: z.string() });

const NAME = /^step-(\d+)\.safetensors$/;
/** Number of checkpoints that are kept; older ones are removed. */
const KEPT = 3;

/** The name of a step in file names: `step-000500`. */
export const stepName = (step: number): string => `step-${String(step).padStart(6, '0')}`;

/** Writes `folder/step-N.safetensors` and removes all but the newest three. @returns its path */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  const path = join(folder, `${stepName(checkpoint.progress.step)}.safetensors`);
  await write(path, checkpoint);
  const stale = (await checkpointsIn(folder)).slice(0, -KEPT);
  await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
  return path;
}

/** The path of the checkpoint with the best Fréchet distance, which is kept in addition. */
export const bestCheckpoint = (folder: string): string => join(folder, 'best.safetensors');

/** Writes the best checkpoint and replaces the one before. */
export const writeBestCheckpoint = (folder: string, checkpoint: Checkpoint): Promise<void> =>
  write(bestCheckpoint(folder), checkpoint);

async function write(path: string, checkpoint: Checkpoint): Promise<void> {
  const { state, progress, recipe, log } = checkpoint;
  const content = contentFor(state, {
    progress: JSON.stringify(progress),
    recipe: recipeToYaml(recipe),
    settings: settingsHash(recipe),
    ...(log && { log: JSON.stringify(log) }),
  });
  await writeFileAtomic(path, encodeContent(content, contentHash(content)));
}

/** Reads a checkpoint. @throws UserError if the file is missing, broken or not a checkpoint */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readWhole(path);
  checkFormat(metadata, path);
  const progress = progressSchema.safeParse(parseJson(metadata.progress ?? ''));
  if (!progress.success) {
    throw new UserError(`${path} is broken: its progress is missing or wrong.`);
  }
  return {
    state: stateIn(tensors, path),
    progress: progress.data,
    recipe: parseRecipe(metadata.recipe ?? '', `${path} (its recipe)`),
    log: markSchema
      .optional()
      .catch(undefined)
      .parse(parseJson(metadata.log ?? '')),
  };
}

/** Reads a file and compares it with its checksum; files of version 0.2.0 and before have none. */
async function readWhole(path: string): Promise<SafetensorsFile> {
  const { tensors, metadata } = await readSafetensors(path);
  const { sha256, ...rest } = metadata;
  if (sha256 !== undefined && contentHash({ tensors, metadata: rest }) !== sha256) {
    throw new UserError(`${path} is damaged: its contents do not match its checksum.`);
  }
  return { tensors, metadata: rest };
}

/** A checkpoint that was read, and what is wrong with the newer ones. */
export interface Found extends Checkpoint {
  readonly path: string;
  /** Sentences. */
  readonly problems: readonly string[];
}

/**
 * Reads the newest checkpoint of a folder that can be used. The best one counts, too, where a newer one
 * cannot.
 * @param objection says why a checkpoint that is whole cannot be used, in a sentence
 * @returns undefined if there is none
 * @throws UserError if none of them can be used: what is wrong with the newest
 */
export async function newestCheckpoint(
  folder: string,
  objection: (found: Checkpoint, path: string) => Promise<string | undefined> = async () =>
    undefined,
): Promise<Found | undefined> {
  const problems: string[] = [];
  const usable = async (path: string): Promise<Found | undefined> => {
    try {
      const found = await readCheckpoint(path);
      const problem = await objection(found, path);
      if (problem === undefined) return { ...found, path, problems };
      problems.push(problem);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
    return undefined;
  };
  const paths = (await checkpointsIn(folder)).map((name) => join(folder, name)).reverse();
  const [newest, ...older] = paths;
  if (newest === undefined) return undefined;
  const first = await usable(newest);
  if (first) return first;
  const best = bestCheckpoint(folder);
  const spare = (await exists(best)) ? await usable(best) : undefined;
  for (const path of older) {
    if (spare && spare.progress.step >= stepOf(path)) return spare;
    const found = await usable(path);
    if (found) return found;
  }
  if (spare) return spare;
  throw new UserError(problems[0] as string);
}

/** Whether a folder holds checkpoints. */
export const hasCheckpoints = async (folder: string): Promise<boolean> =>
  (await checkpointsIn(folder)).length > 0;

/** The file names of checkpoints, oldest first. */
async function checkpointsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw fileError('read', folder, error);
  });
  return names.filter((name) => NAME.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
}

const stepOf = (path: string): number => Number(NAME.exec(basename(path))?.[1]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
