/** Optional measures that take minutes. */
import { readSource, UserError } from '@gpn/runtime';
import type { Dataset } from '../../data/types.js';
import { categoriesOf } from '../judge/extractor.js';
import { type JudgeRecipe, trainJudge } from '../judge/judge.js';
import { examineJudge } from '../judge/judge-file.js';
import { meanInterval } from '../metrics/bootstrap.js';
import { parzen } from '../metrics/parzen.js';
import { categoryError, classesOf } from '../metrics/verdicts.js';
import { chooseSome, pixelRows, type RealData } from './image-sets.js';
import type { EvaluateProgress, Sample, Scores } from './scores.js';
import type { Extra } from './types.js';

/** As many steps as three epochs of MNIST, whatever the number of images. */
const RECIPE: JudgeRecipe = {
  steps: 2812,
  batchSize: 64,
  learningRate: 2e-3,
  labelSmoothing: 0.1,
  shift: 1,
  flip: false,
  seed: 0,
};

const VALIDATION = 1000;

/**
 * The error of an InfoGAN's categories as a classifier of real images.
 *
 * @param source the file of its discriminator, or the name of a bundled model
 * @throws UserError if the file has no categories or the data no classes
 */
export async function scoreCategories(source: string, { name, reference, classes }: RealData) {
  const { labels } = reference;
  if (!labels || !classes) {
    throw new UserError(`${name} has no classes that categories could stand for.`);
  }
  const { bytes, label } = await readSource(source);
  const categories = await categoriesOf(bytes, reference, label);
  const size = Math.max(classes.length, ...categories.map((c) => c + 1));
  const { error, matching } = categoryError(categories, labels, size);
  const wrong = Float32Array.from(labels, (c, k) =>
    Number(matching[categories[k] as number] !== c),
  );
  return { categoryError: { value: error, interval: meanInterval(wrong) } };
}

/** Images to measure: those of the scorecard, and as many as there are others than the reference. */
export interface Measured {
  readonly sample: Sample;
  readonly asManyAsOthers: () => Promise<Pick<Sample, 'pictures' | 'logits'>>;
}

/** Computes optional measures; those that do not apply to the data are left out. */
export async function scoreExtras(
  extras: readonly Extra[],
  real: RealData,
  measured: Measured,
  on: (progress: EvaluateProgress) => void,
): Promise<Scores> {
  let scores: Scores = {};
  for (const extra of extras) scores = { ...scores, ...(await EXTRAS[extra](real, measured, on)) };
  return scores;
}

const EXTRAS: Readonly<
  Record<
    Extra,
    (
      real: RealData,
      measured: Measured,
      on: (progress: EvaluateProgress) => void,
    ) => Promise<Scores>
  >
> = {
  async trained(real, { asManyAsOthers }, on) {
    return trainable(real) ? trainedOn(real, await asManyAsOthers(), RECIPE, on) : {};
  },

  async parzen(real, { sample: { pictures } }, on) {
    on({ phase: 'Parzen windows', done: 0, total: 1 });
    const validation = pixelRows(chooseSome(real.others, VALIDATION, 2));
    const { value, error } = await parzen(
      pixelRows(pictures),
      validation,
      pixelRows(real.reference),
    );
    return { parzen: { value, interval: [value - 1.96 * error, value + 1.96 * error] } };
  },
};

/** Whether the classifier can be trained with such images: labelled, grey, 28 × 28 pixels. */
const trainable = ({ classes, reference }: RealData): boolean =>
  Boolean(classes && reference.labels) &&
  reference.height === 28 &&
  reference.width === 28 &&
  reference.channels === 1;

/**
 * The accuracy on real images of a classifier trained on generated ones (Ravuri & Vinyals 2019, with as
 * many generated images as there are real training images). The labels are the requested classes, or
 * those that the judge assigns.
 *
 * @returns no score if there are no labels or the images do not fit the classifier
 */
export async function trainedOn(
  real: RealData,
  { pictures, logits }: Pick<Sample, 'pictures' | 'logits'>,
  recipe: JudgeRecipe = RECIPE,
  on: (progress: EvaluateProgress) => void = () => {},
): Promise<Scores> {
  const labels = pictures.labels ?? (logits && classesOf(logits));
  if (!labels || !real.classes || !trainable(real)) return {};
  const train: Dataset = {
    ...pictures,
    name: 'generated',
    hash: 'none',
    labels,
    classes: [...real.classes],
  };
  const state = await trainJudge(train, recipe, {
    device: 'cpu',
    on: ({ step, steps }) => on({ phase: 'a classifier', done: step, total: steps }),
  });
  return { trained: { value: await examineJudge(state, recipe, train, real.reference) } };
}
