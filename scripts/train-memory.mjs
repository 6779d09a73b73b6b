/**
 * Whether memory stays flat while a training step runs: `npm run bench:train -- --memory`.
 *
 * `dcgan-mnist` at an eighth of its width on batches of 2, so that ten thousand steps take a minute or
 * two; what a step would leak, it leaks a call at a time whatever its size. New noise and pixels
 * go in at each step, from a thread of their own, and all of the state comes out, as in training.
 */
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { stream } from '@gpn/runtime';
import { compile, ganOf, loadDataset, resolveRecipe, startingState } from '@gpn/training';
import { shareImages } from '../training/dist/data/images.js';
import { ahead, openFeeder } from '../training/dist/run/feeder.js';
import { firstRates, partsOf } from '../training/dist/run/progress.js';

const BATCH = 2;
const MIB = 2 ** 20;
const ROWS = 20;

/**
 * Resident memory, in MiB, every so many steps.
 *
 * @param steps how many steps in all; those before 500, or the first sixth of fewer than 3,000, are
 *   left out, as buffers that are kept are made in them
 * @returns rows of {step, rssMiB, heapMiB, outsideHeapMiB} as they come, with the garbage that V8 has
 *   not collected yet, and the largest deviation from the first as a share of it; the same for the
 *   first and the last step after a collection, and by what share the last is larger; the time
 */
export async function memory({ steps, threads }) {
  const from = Math.min(500, Math.ceil(steps / 6));
  const every = Math.max(1, Math.floor((steps - from) / ROWS));
  const recipe = resolveRecipe('dcgan-mnist', { batchSize: BATCH });
  const gan = ganOf(recipe, 1 / 8);
  const [phase] = gan.phases;
  const dataset = shareImages(await loadDataset('mnist', recipe.data));
  const feeder = openFeeder(recipe, dataset, partsOf(gan.phases, dataset));
  const next = ahead(feeder, 0, () => 1);
  const rates = firstRates(recipe, phase);
  const step = await compile(phase.step, phase.inputs, { device: 'cpu', threads });
  step.load(startingState(gan.state, 'normal', stream(0, 'initialization')));
  const rows = [];
  const collected = [];
  const begun = performance.now();
  for (let i = 1; i <= steps; i++) {
    const [feeds] = await next();
    await step.run({ ...feeds, ...rates });
    if (i < from || ((i - from) % every !== 0 && i < steps)) continue;
    if (i > from) rows.push({ step: i, ...usage() });
    if (i > from && i < steps) continue;
    await collectGarbage();
    collected.push({ step: i, ...usage() });
    if (i === from) rows.push(collected[0]);
  }
  const seconds = (performance.now() - begun) / 1000;
  await feeder.dispose();
  await step.dispose();
  const first = rows[0].rssMiB;
  const deviation = rows
    .map(({ rssMiB }) => rssMiB / first - 1)
    .reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const growth = collected[1].rssMiB / collected[0].rssMiB - 1;
  return { rows, deviation, collected, growth, seconds };
}

function usage() {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssMiB: rss / MIB, heapMiB: heapUsed / MIB, outsideHeapMiB: external / MIB };
}

async function collectGarbage() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  // What native code holds for a collected object is freed, and pages are given back, a moment later.
  for (let i = 0; i < 2; i++) {
    gc();
    await setTimeout(500);
  }
}
