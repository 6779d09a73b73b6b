/** A run of a tiny network on a folder of thirteen pictures, for what must train in earnest and soon. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stream } from '@gpn/runtime';
import sharp from 'sharp';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';

/**
 * Draws the pictures, of noise, and gives the recipe: epochs of three steps, in which the rates fall.
 * @param folder where the pictures are to lie
 */
export async function smallRun(folder: string, steps: number, every: number): Promise<Recipe> {
  await mkdir(folder);
  const random = stream(0, 'pictures');
  for (let n = 0; n < 13; n++) {
    await sharp(Uint8Array.from(random.below(256, 256)), {
      raw: { width: 16, height: 16, channels: 1 },
    })
      .png()
      .toFile(join(folder, `${n}.png`));
  }
  const full = resolveRecipe('dcgan-mnist', { steps, batchSize: 4, dataset: folder });
  return checkRecipe({
    ...full,
    data: { ...full.data, height: 16, width: 16, flip: true },
    model: {
      ...full.model,
      network: 'dcgan',
      width: 8,
      latent: { size: 8, distribution: 'uniform' },
    },
    training: {
      ...full.training,
      generator_average: 0.9,
      average_ramp: 0.5,
      schedule: { type: 'plateau', factor: 0.5, patience: 0 },
    },
    output: { ...full.output, checkpoint_every: every },
  });
}

/** The path of a run's checkpoint. */
export const checkpointIn = (out: string, step: number): string =>
  join(out, 'checkpoints', `step-${String(step).padStart(6, '0')}.safetensors`);
