import { basename, extname, join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import type { NormalPictures, Recipe, TrainResult } from '@gpn/training';
import { refuseIfLocked } from '@gpn/training/lock';
import { calibrateFile, sentencesOf } from '../evaluation/calibrate-file.js';
import { heldOutPictures } from '../evaluation/normal.js';
import { checkWritable, kindOf } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { TRAIN } from '../options/train.js';
import { suggestionsFor } from '../suggest.js';
import { Interrupted, interruptible } from '../terminal/interrupt.js';
import { print, printAside } from '../terminal/print.js';
import { createProgress, type Progress } from '../terminal/progress.js';

export async function run(
  name: string | undefined,
  options: OptionsOf<typeof TRAIN>,
): Promise<void> {
  const progress = createProgress(process.stderr);
  const interrupt = interruptible('Saving a checkpoint before stopping', progress.stop);
  try {
    const result = await trainOrStop(name, options, progress, interrupt.signal);
    print(options.json ? `${JSON.stringify(result)}\n` : summary(result));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    progress.stop();
    printAside('gpn-cli: Stopped before the first step; nothing has changed.\n');
    process.exit(error.exitCode);
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** How a training ended, and of a detector what its calibration says. */
type Trained = TrainResult & { readonly detector?: string };

async function trainOrStop(
  name: string | undefined,
  options: OptionsOf<typeof TRAIN>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Trained> {
  const out = options.out ?? join('runs', nameOf(name ?? options.data));
  await refuseIfLocked(out);
  // Loading it takes a second, in which a signal would end the process without a word.
  const { lasting, overrideRecipe, resolveRecipe, train } = await import('@gpn/training');
  const { data: dataset, epochs, steps, minutes, batchSize, seed, from, device, engine } = options;
  const named = name ?? (await recipeInPlace(options, out));
  const changes = { epochs, steps, batchSize, seed, from };
  const recipe = named
    ? resolveRecipe(named, { dataset, ...changes })
    : overrideRecipe(await recipeFor(dataset ?? noRecipe()), changes);
  await checkWritable(out, 'folder', '--out');
  signal.throwIfAborted();
  const { resume = false, threads, learningRateScale } = options;
  const stage = options.stage ?? stageOf(recipe);
  const isDetector = stageOf(recipe) !== undefined && options.stage === undefined;
  const normal = isDetector ? await heldOutPictures(recipe) : undefined;
  const how = {
    out,
    device,
    engine,
    resume,
    ...(stage && { stage }),
    ...(threads && { threads }),
    ...(learningRateScale && { learningRateScale }),
    signal,
    on: progress.on,
  };
  const lengthened = minutes ? await lasting(recipe, minutes, how) : recipe;
  const result = await train(lengthened, how);
  if (!isDetector || result.type !== 'stage') return result;
  return { ...result, detector: await calibrated(result, normal, device) };
}

/** A recipe of a detector trains the discriminator alone, unless a stage is asked for. */
const stageOf = ({ training }: Recipe) =>
  training.predictive?.detector ? ('discriminator' as const) : undefined;

/** Calibrates a detector, and says with what, or what is left to do. */
async function calibrated(
  { discriminator = '' }: TrainResult,
  normal: NormalPictures | undefined,
  device: OptionsOf<typeof TRAIN>['device'],
): Promise<string> {
  if (!normal) {
    return `Calibrate it with normal pictures that it has not seen: gpn-cli calibrate ${discriminator} --data FOLDER\n`;
  }
  return sentencesOf(
    discriminator,
    await calibrateFile(discriminator, discriminator, normal, { device }),
  );
}

/** The name of a run: that of its recipe, or of its folder of pictures. */
const nameOf = (path: string | undefined): string => {
  const known = path ?? noRecipe();
  return basename(resolve(known), extname(known));
};

const noRecipe = (): never => {
  throw new UserError(
    'Give a recipe, --data FOLDER for one that fits a folder of pictures, or --out and --resume to continue a run.',
  );
};

/** What stands for a recipe that is not given: that of the run to continue; undefined for none. */
async function recipeInPlace({ resume }: OptionsOf<typeof TRAIN>, out: string) {
  const own = join(out, 'recipe.yml');
  return resume && (await kindOf(own)) === 'file' ? own : undefined;
}

/** A recipe that fits a folder of pictures. */
async function recipeFor(folder: string): Promise<Recipe> {
  const suggest = await suggestionsFor(folder, resolve(folder), 'The recipe that was made');
  return suggest({}).recipe;
}

const distance = ({ frechet, sliced }: NonNullable<TrainResult['best']>): string =>
  frechet === undefined
    ? `sliced Wasserstein distance, ${sliced?.toFixed(1)}`
    : `Fréchet distance, ${frechet.toFixed(1)}`;

/** What is printed at the end, by how the training ended. */
function summary(result: Trained): string {
  const { type, step, steps } = result;
  if (type === 'interrupted')
    return `Stopped at step ${step} of ${steps}. The state is saved in ${result.checkpoint}; continue with the same command and --resume.\n`;
  if (result.detector)
    return `Trained the detector for ${step} steps: ${result.discriminator}\n${result.detector}`;
  if (type === 'stage')
    return [
      `Trained the discriminator for ${step} steps: ${result.discriminator}`,
      `Continue with the same command and --stage generator, up to step ${steps}.\n`,
    ].join('\n');
  const { out, best, generator, discriminator } = result;
  return [
    `Trained ${step} steps, in ${out}:`,
    `  generator      ${generator}`,
    `  discriminator  ${discriminator}`,
    ...(best ? [`  best so far    ${best.generator} (step ${best.step})`] : []),
    `  samples        ${join(out, 'samples')}`,
    `  losses         ${join(out, 'losses.svg')}`,
    ...(best ? [`  evaluations    ${join(out, 'evaluation.svg')}`] : []),
    `Show everything in TensorBoard: tensorboard --logdir ${out}`,
    ...(best
      ? [
          `The best generator is the one with the lowest ${distance(best)}; generator.onnx is from the last step.`,
        ]
      : []),
    `Draw with it: gpn-cli sample --model ${best?.generator ?? generator} --out samples.png\n`,
  ].join('\n');
}
