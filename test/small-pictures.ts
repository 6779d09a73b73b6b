/** What tests of sweeps and searches train with: a few plain pictures, and a recipe of some steps. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { root } from './imports.js';

/** Writes 16 grey pictures into `data` of a folder, and `base.yml` beside it, which learns them. */
export async function smallPictures(folder: string): Promise<void> {
  mkdirSync(join(folder, 'data'));
  for (let k = 0; k < 16; k++) {
    const background = { r: 15 * k, g: 15 * k, b: 15 * k };
    await sharp({ create: { width: 28, height: 28, channels: 3, background } })
      .png()
      .toFile(join(folder, `data/${k}.png`));
  }
  const recipe = readFileSync(join(root, 'test/kills/recipe.yml'), 'utf8')
    .replace('dataset: mnist', 'dataset: data')
    .replace(/ {2}classes: .*\n/, '')
    .replace('batch_size: 16', 'batch_size: 8')
    .replace(/ {2}(evaluate_|on_collapse).*\n/g, '');
  writeFileSync(join(folder, 'base.yml'), recipe);
}
