/** Measures that take minutes, for those who ask for them. */
import { readSource, UserError } from '@gpn/runtime';
import type { Dataset } from '../data/dataset.js';
import { meanInterval } from './bootstrap.js';
import type { EvaluateProgress } from './evaluate.js';
import { categoriesOf } from './extractor.js';
import { type JudgeRecipe, trainJudge } from './judge.js';
import { examineJudge } from './judge-file.js';
import { parzen } from './parzen.js';
import type { Sample, Scores } from './scores.js';
import { chooseSome, pixelRows, type RealData } from './sets.js';
import { categoryError, classesOf } from './verdicts.js';

export type Extra = 'trained' | 'parzen';

/** Ten thousand images ten times over. */
const RECIPE: JudgeRecipe = {
  steps: 1560,
  batchSize: 64,
  learningRate: 2e-3,
  labelSmoothing: 0.1,
  shift: 1,
  flip: false,
  seed: 0,
};

const VALIDATION = 1000;

/**
 * How wrong the categories of an InfoGAN are as a classifier of real images.
 *
 * @param source the file of its discriminator, or a bundled model's name
 * @throws UserError where it has no categories, or the data no classes
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

/** These measures of a set; those that do not apply to it are left out. */
export async function scoreExtras(
  extras: readonly Extra[],
  real: RealData,
  sample: Sample,
  on: (progress: EvaluateProgress) => void,
): Promise<Scores> {
  let scores: Scores = {};
  for (const extra of extras) scores = { ...scores, ...(await EXTRAS[extra](real, sample, on)) };
  return scores;
}

const EXTRAS: Readonly<
  Record<
    Extra,
    (real: RealData, sample: Sample, on: (progress: EvaluateProgress) => void) => Promise<Scores>
  >
> = {
  trained: (real, sample, on) => trainedOn(real, sample, RECIPE, on),

  async parzen(real, { pictures }, on) {
    on({ phase: 'Parzen windows', done: 0, total: 1 });
    const validation = pixelRows(chooseSome(real.train, VALIDATION, 2));
    const { value, error } = await parzen(
      pixelRows(pictures),
      validation,
      pixelRows(real.reference),
    );
    return { parzen: { value, interval: [value - 1.96 * error, value + 1.96 * error] } };
  },
};

/**
 * Train on generated images, test on real ones (Ravuri & Vinyals 2019): with the classes that were
 * asked for, or those that the judge sees.
 */
export async function trainedOn(
  real: RealData,
  { pictures, logits }: Pick<Sample, 'pictures' | 'logits'>,
  recipe: JudgeRecipe,
  on: (progress: EvaluateProgress) => void = () => {},
): Promise<Scores> {
  const labels = pictures.labels ?? (logits && classesOf(logits));
  const fits = pictures.height === 28 && pictures.width === 28 && pictures.channels === 1;
  if (!labels || !real.classes || !real.reference.labels || !fits) return {};
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
