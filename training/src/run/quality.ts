/** How good a network is that has just been trained. */
import { type QualityInfo, UserError } from '@gpn/runtime';
import { loadDataset } from '../data/sets/dataset.js';
import type { State } from '../engine/types.js';
import type { Phase } from '../methods/method.js';
import type { Recipe } from '../recipe/schema.js';

/** What a phase measures at its end, or undefined where there is nothing to measure it on. */
export async function measure(
  recipe: Recipe,
  phase: Phase,
  state: State,
): Promise<QualityInfo[] | undefined> {
  const images = await heldOut(recipe);
  return images && phase.measure?.(state, images);
}

/** The images that a data set keeps back for tests; a folder of pictures has none. */
async function heldOut({ data: { dataset, height, width, channels } }: Recipe) {
  try {
    return await loadDataset(dataset, { height, width, channels, split: 'test' });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
