/** Trainings small enough for TF.js's own cpu backend, which is the oracle. */
import { stream, type TensorData } from '@gpn/runtime';
import type { Dataset } from '../src/data/types.js';
import { runEagerly } from '../src/engine/eager.js';
import type { State } from '../src/engine/types.js';
import { checkRecipe } from '../src/recipe/check.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { mapRecord } from '../src/records.js';
import { asFeeds, ratesAt } from '../src/run/progress.js';
import { startSchedule } from '../src/run/schedule.js';
import { startingState } from '../src/steps/state.js';

/** Noise in the shape of a data set, with labels of ten classes. */
export function noiseImages({ height, width, channels }: Recipe['data'], count: number): Dataset {
  const random = stream(0, 'noise images');
  return {
    name: 'noise',
    hash: 'noise',
    count,
    height,
    width,
    channels,
    images: Uint8Array.from(random.uniform(count * height * width * channels, 0, 256)),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    classes: Array.from({ length: 10 }, (_, k) => String(k)),
  };
}

export interface SmallOptions {
  batchSize?: number;
  seed?: number;
  width?: number;
  training?: Partial<Recipe['training']>;
  model?: Partial<Recipe['model']>;
  data?: Partial<Recipe['data']>;
}

/** The recipe of this name with small batches, at an eighth of its width unless told. */
export function smallGan(name: string, options: SmallOptions = {}) {
  const { batchSize = 2, seed = 3, width = 1 / 8 } = options;
  const full = resolveRecipe(name, { batchSize, seed });
  const recipe = checkRecipe({
    ...full,
    data: { ...full.data, ...options.data },
    model: { ...full.model, ...options.model },
    training: { ...full.training, ...options.training },
  });
  const gan = ganOf(recipe, width);
  const start = startingState(
    gan.state,
    recipe.model.initialization,
    stream(seed, 'initialization'),
  );
  const phases = gan.phases.map((phase) => {
    const { feeds } = phase.data(noiseImages(recipe.data, 64));
    const schedule = mapRecord(phase.rates, startSchedule);
    const all = (k: number): State => ({
      ...feeds(k),
      ...asFeeds(ratesAt({ schedule }, k, 1, { phase, from: 0, to: 64 }, recipe)[0] ?? {}),
    });
    return { ...phase, feeds: all };
  });
  return { recipe, gan, start, phases };
}

/** The losses of the first step where all weights are zero, for closed forms, and what it was fed. */
export function stepOfZeros(name: string, options: SmallOptions = {}) {
  const { phases, start } = smallGan(name, options);
  const [phase] = phases as [(typeof phases)[number]];
  const zeros = Object.entries(start).map(([key, { dtype, shape, data }]) => [
    key,
    { dtype, shape, data: new Float32Array(data.length) } as TensorData,
  ]);
  const feeds = phase.feeds(0);
  const { metrics } = runEagerly(phase.step, phase.inputs, {
    state: Object.fromEntries(zeros),
    feeds,
  });
  return { metrics, feeds };
}

/**
 * Largest difference over the largest magnitude: where Adam divides by almost nothing, a ratio per
 * element says nothing.
 */
export function distance(a: TensorData, b: TensorData): number {
  let [difference, magnitude] = [0, 1e-12];
  for (let i = 0; i < b.data.length; i++) {
    difference = Math.max(difference, Math.abs(Number(a.data[i]) - Number(b.data[i])));
    magnitude = Math.max(magnitude, Math.abs(Number(b.data[i])));
  }
  return difference / magnitude;
}
