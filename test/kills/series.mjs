/**
 * Trains a recipe with several seeds, one after the other, as a sweep does. The same command continues a
 * series that was killed.
 *
 *   node series.mjs RECIPE OUT STEPS SEED...
 */
import { join } from 'node:path';
import { resolveRecipe, train } from '@gpn/training';

const [recipe, out, steps, ...seeds] = process.argv.slice(2);
for (const seed of seeds.map(Number)) {
  const folder = join(out, `seed-${seed}`);
  const resolved = resolveRecipe(recipe, { seed, steps: Number(steps) });
  const output = { ...resolved.output, on_collapse: 'warn' }; // not every seed gets to the end otherwise
  await train({ ...resolved, output }, { out: folder, resume: true, device: 'cpu', threads: 1 });
}
