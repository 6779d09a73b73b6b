/** Measures the quality of a network at the end of its phase. */
import { type QualityInfo, UserError } from '@gpn/runtime';
import { loadDataset } from '../data/sets/dataset.js';
import type { State } from '../engine/types.js';
import type { Phase } from '../methods/method.js';
import { preparationOf } from '../recipe/keys/common.js';
import type { Recipe } from '../recipe/schema.js';

/** The measurements of a phase at its end; undefined if the data has no test set. */
export async function measure(
  recipe: Recipe,
  phase: Phase,
  state: State,
): Promise<QualityInfo[] | undefined> {
  const images = await heldOut(recipe);
  return images && phase.measure?.(state, images);
}

/** The test set of the data; undefined for a folder of images, which has none. */
async function heldOut({ data }: Recipe) {
  const { dataset, height, width, channels, skip_unreadable: skipUnreadable } = data;
  const size = { height, width, channels };
  try {
    const preparation = preparationOf(data);
    return await loadDataset(dataset, {
      ...{ ...size, preparation, skipUnreadable, crops: data.crops, heldOut: data.held_out },
      split: 'test',
    });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
