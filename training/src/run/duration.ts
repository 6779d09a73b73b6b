/** How many steps a training takes in a given time, on this machine: some of its steps are timed. */
import { stream, UserError } from '@gpn/runtime';
import { newestCheckpoint } from '../checkpoint/checkpoint.js';
import type { Dataset } from '../data/types.js';
import { ganOf } from '../recipe/gan.js';
import { usefulSteps } from '../recipe/keys/length.js';
import type { Recipe } from '../recipe/schema.js';
import { startingState } from '../steps/state.js';
import { stepsAtOnce } from './pace.js';
import { firstRates, partsOf } from './progress.js';
import { shortened } from './sentences.js';
import { foldersOf, loadData } from './start.js';
import { compiler } from './tools.js';
import type { TrainEvent, TrainOptions } from './types.js';

/** Seconds for which steps are timed, after a first call that is not. */
const TIMED = 5;
/** The share of the time that steps take; the rest is for pictures, checkpoints and the export. */
const IN_STEPS = 0.95;

/**
 * The recipe with as many steps as fit into a time, by the speed of its first steps, but no more than
 * are good for few pictures. The steps are
 * part of the recipe from then on: the training itself does not look at the clock, so that it can be
 * stopped, continued and repeated. A run that is continued keeps the steps that it began with.
 * @param minutes more than 0
 * @throws UserError if the networks of the recipe take turns, or what `train` throws at its start
 */
export async function lasting(
  recipe: Recipe,
  minutes: number,
  options: TrainOptions,
): Promise<Recipe> {
  const { out, resume, on = () => {} } = options;
  if (resume) {
    const { checkpoints } = foldersOf(out);
    const begun = await newestCheckpoint(checkpoints).catch(() => undefined); // train() says why
    if (begun) {
      const { epochs, steps } = begun.recipe.training;
      return { ...recipe, training: { ...recipe.training, epochs, steps } };
    }
  }
  // The training itself says what was read and what was not.
  const quietly = (event: TrainEvent) => event.type !== 'note' && on(event);
  const dataset = await loadData(recipe, { ...options, on: quietly });
  const seconds = await secondsPerStep(recipe, dataset, options);
  const fitting = Math.max(1, Math.floor((minutes * 60 * IN_STEPS) / seconds));
  on({ type: 'note', text: fits(seconds, minutes, fitting) });
  const most = usefulSteps(recipe, dataset.count) ?? fitting;
  if (most < fitting) on({ type: 'note', text: shortened(fitting, most, dataset.count) });
  const steps = Math.min(fitting, most);
  return { ...recipe, training: { ...recipe.training, epochs: undefined, steps } };
}

const fits = (seconds: number, minutes: number, steps: number): string =>
  `A step takes ${(1000 * seconds).toPrecision(3)} ms here: ${steps} steps take about ${minutes} minutes.`;

/**
 * Seconds that a step takes, without its start and without its batch, which another thread prepares.
 * @throws UserError if the networks of the recipe take turns, or the device cannot be used
 */
export async function secondsPerStep(
  recipe: Recipe,
  dataset: Dataset,
  options: Pick<TrainOptions, 'device' | 'engine' | 'threads' | 'signal'>,
): Promise<number> {
  const gan = ganOf(recipe);
  const { detector } = recipe.training.predictive ?? {};
  // A detector's generator does not learn.
  const [part, another] = partsOf(gan.phases, dataset).filter(
    ({ phase }) => !detector || phase.name === 'discriminator',
  );
  if (!part || another) {
    throw new UserError(
      `The networks of ${recipe.name} take turns, so that minutes do not determine its steps: give --steps or --epochs.`,
    );
  }
  const { phase, data } = part;
  const engine = compiler(recipe, options);
  try {
    const step = await engine.open(phase);
    const random = stream(recipe.training.seed, 'initialization');
    step.load(startingState(gan.state, recipe.model.initialization, random));
    const rates = firstRates(recipe, phase);
    let [steps, seconds, at] = [0, 0, 0];
    while (seconds < TIMED) {
      options.signal?.throwIfAborted();
      const feeds = Array.from({ length: stepsAtOnce(steps / seconds || 0) }, () => ({
        ...data.feeds(at++),
        ...rates,
      }));
      const begun = performance.now();
      await step.runAll(feeds);
      if (at === 1) continue; // memory is arranged in the first call
      steps += feeds.length;
      seconds += (performance.now() - begun) / 1000;
    }
    return seconds / steps;
  } finally {
    await engine.dispose();
  }
}
