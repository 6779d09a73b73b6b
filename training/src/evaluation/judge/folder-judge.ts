/** A judge for data of the user's own, with its accuracy on images that it has not seen. */
import { type ModelInfo, PREPARATION, stream, UserError } from '@gpn/runtime';
import { hashImages } from '../../data/images.js';
import { gather } from '../../data/rows.js';
import { loadDataset } from '../../data/sets/dataset.js';
import type { Dataset, DatasetOptions } from '../../data/types.js';
import { type JudgeRecipe, type JudgeTraining, trainJudge } from './judge.js';
import { exportJudge } from './judge-file.js';

/** How to train a judge for a data set. */
export interface FolderJudgeOptions extends Omit<DatasetOptions, 'split' | 'onProgress'> {
  /** As many as twenty epochs take by default, between 500 and 6,000. */
  readonly steps?: number | undefined;
  /** Of the weights, the order of the images and the choice of those that are held out; 0 by default. */
  readonly seed?: number | undefined;
  /** Whether half of the images are mirrored; false by default. */
  readonly flip?: boolean | undefined;
  readonly device?: JudgeTraining['device'];
  readonly threads?: number | undefined;
  /** Called after each image that is decoded. */
  readonly onImage?: (done: number, total: number) => void;
  /** Called once, before the first step, and after each step. */
  readonly on?: (progress: JudgeProgress) => void;
}

/** How far the training of a judge has come. */
export interface JudgeProgress {
  readonly step: number;
  readonly steps: number;
  /** Images of the training, and of a step. */
  readonly images: number;
  readonly batchSize: number;
  /** Undefined before the first step. */
  readonly loss?: number;
}

/** A judge as a file, and how good it is. */
export interface FolderJudge {
  readonly bytes: Uint8Array;
  readonly info: ModelInfo;
  /** The share of held-out images whose class is right. */
  readonly accuracy: number;
  /** The share that is right by always naming the class that most of them have. */
  readonly guessed: number;
  /** The number of images to learn from, and of those held out. */
  readonly trained: number;
  readonly heldOut: number;
}

/** Images that a class needs: one of five is held out. */
const FEWEST = 5;
const HELD_OUT = 5;

/**
 * Trains a judge for labelled data. Its accuracy is measured with the data's test set, or with a fifth of
 * each class, which it is not trained with.
 *
 * @param spec a folder, or the name of a data set
 * @throws UserError if the data has no labels, one class alone, or too few images of a class
 */
export async function judgeFolder(
  spec: string,
  { steps, seed = 0, flip = false, device, threads, onImage, on, ...data }: FolderJudgeOptions,
): Promise<FolderJudge> {
  const all = await loadDataset(spec, { ...data, ...(onImage && { onProgress: onImage }) });
  checkLabelled(all);
  const { train, test } = (await withTest(all, spec, data)) ?? heldOut(all, seed);
  const batchSize = Math.min(64, train.count);
  const epoch = train.count / batchSize;
  const recipe: JudgeRecipe = {
    steps: steps ?? Math.round(Math.min(6000, Math.max(500, 20 * epoch))),
    batchSize,
    learningRate: 2e-3,
    labelSmoothing: 0.1,
    shift: Math.max(1, Math.round(Math.min(train.height, train.width) / 16)),
    flip,
    beyond: 'border',
    seed,
  };
  const progress = { steps: recipe.steps, images: train.count, batchSize };
  on?.({ step: 0, ...progress });
  const state = await trainJudge(train, recipe, {
    ...(device && { device }),
    ...(threads && { threads }),
    on: ({ step, loss }) => on?.({ step, loss, ...progress }),
  });
  const { preparation = PREPARATION } = data;
  const judge = await exportJudge(state, recipe, { train, test, preparation });
  const guessed = Math.max(...countsOf(test)) / test.count;
  return { ...judge, guessed, trained: train.count, heldOut: test.count };
}

/** The number of images of each class. */
function countsOf({ labels, classes }: Dataset): number[] {
  const counts = new Array<number>(classes?.length ?? 0).fill(0);
  labels?.forEach((label) => {
    counts[label] = (counts[label] ?? 0) + 1;
  });
  return counts;
}

function checkLabelled(data: Dataset): void {
  const { name, labels, classes } = data;
  if (!labels || !classes) {
    throw new UserError(
      `${name} has no labels, which a judge learns: put the pictures of each class into a sub-folder of its own. Without labels, gpn-cli eval measures by patches, or by gpn-cli features.`,
    );
  }
  const counts = countsOf(data);
  if (counts.filter((count) => count > 0).length < 2) {
    throw new UserError(
      `${name} has pictures of one class only (${classes[counts.findIndex((count) => count > 0)]}): a judge tells at least two apart.`,
    );
  }
  const least = counts.indexOf(Math.min(...counts));
  if ((counts[least] ?? 0) < FEWEST) {
    throw new UserError(
      `${name} has ${counts[least]} picture(s) of the class ${classes[least]}: a judge needs at least ${FEWEST} of each, and learns well from hundreds.`,
    );
  }
}

interface Parts {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** The data with its test set; undefined if it has none with the same classes. */
async function withTest(
  train: Dataset,
  spec: string,
  options: DatasetOptions,
): Promise<Parts | undefined> {
  try {
    const test = await loadDataset(spec, { ...options, split: 'test' });
    return test.labels && test.classes?.join() === train.classes?.join()
      ? { train, test }
      : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Holds out a fifth of each class, one image at least; the seed decides which. */
function heldOut(data: Dataset, seed: number): Parts {
  const order = stream(seed, 'held out').permutation(data.count);
  const seen = new Map<number, number>();
  const places: { train: number[]; test: number[] } = { train: [], test: [] };
  for (const place of order) {
    const label = data.labels?.[place] as number;
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    places[before % HELD_OUT === 0 ? 'test' : 'train'].push(place);
  }
  const part = (name: string, chosen: number[]): Dataset => {
    const size = data.height * data.width * data.channels;
    const images = {
      ...data,
      name,
      count: chosen.length,
      images: gather(data.images, size, chosen),
      labels: gather(data.labels as Uint8Array, 1, chosen),
    };
    return { ...images, hash: hashImages(images) };
  };
  return {
    train: part(data.name, places.train),
    test: part(`${data.name}, a fifth of each class that it was not trained with`, places.test),
  };
}
