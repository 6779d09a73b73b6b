/** The body of a step's loop, which runs where the state stays in a GPU's buffers. */
import { join } from 'node:path';
import { openSession, stream } from '@gpn/runtime';
import { loopBody } from '@gpn/runtime/write';
import { expect, it } from 'vitest';
import { feedsBy } from '../src/data/feeds/plans.js';
import { loadDataset } from '../src/data/sets/dataset.js';
import { SessionStep } from '../src/engine/session-step.js';
import { stepFile } from '../src/export/step.js';
import { readStepInfo, type StepPhase } from '../src/export/step-file.js';
import { ganOf } from '../src/recipe/gan.js';
import { firstRates } from '../src/run/progress.js';
import { HeldStep } from '../src/run/web/held-step.js';
import { startingState } from '../src/steps/state.js';
import { smallRun } from './small-run.js';
import { temporaryFolder } from './temp-folder.js';

const STEPS = 3;
const ONE = { device: 'cpu', threads: 1 } as const;

it('takes the steps that the loop takes, byte by byte', async () => {
  const pictures = join(await temporaryFolder(), 'pictures');
  const recipe = await smallRun(pictures, STEPS, STEPS);
  const bytes = stepFile(recipe);
  const info = readStepInfo(bytes);
  const phase = info.phases[0] as StepPhase;
  const gan = ganOf(recipe);
  const names = phase.inputs.flatMap(({ name, role }) =>
    role === 'state' ? [name.slice('state/'.length)] : [],
  );
  const facts = { names, times: info.times };
  const fed = feedsBy(phase.feeds, await loadDataset(pictures, recipe.data));
  const rates = firstRates(recipe, gan.phases[0] as (typeof gan.phases)[number]);
  const feeds = Array.from({ length: STEPS }, (_, k) => ({ ...fed.feeds(k), ...rates }));
  const start = startingState(gan.state, recipe.model.initialization, stream(0, 'initialization'));

  const loop = new SessionStep(await openSession(bytes, ONE), { ...facts, rounding: '' });
  const inside = loopBody(bytes);
  const body = new HeldStep(
    await openSession(inside.bytes, ONE),
    { ...facts, rounding: '' },
    inside,
  );
  for (const step of [loop, body]) step.load(start);
  expect(await body.runAll(feeds)).toEqual(await loop.runAll(feeds));
  expect(await body.read(body.state())).toEqual(loop.state());
  await Promise.all([loop.dispose(), body.dispose()]);
});
