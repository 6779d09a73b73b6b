/** How steps are run: several in one call of onnxruntime come to what as many calls come to. */
import { spec } from '@gpn/export';
import { processors, stream } from '@gpn/runtime';
import { expect, it } from 'vitest';
import { floats, pixels } from '../src/data/tensors.js';
import { compile, threadsFor } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import type { CompileOptions, State } from '../src/engine/types.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { startingState } from '../src/steps/state.js';

const BATCH = 2;
const STEPS = 5;
const gan = ganOf(resolveRecipe('dcgan-mnist', { batchSize: BATCH }), 1 / 8);
const [phase] = gan.phases as [(typeof gan.phases)[number]];

const feeds = Array.from({ length: STEPS }, (_, k): State => {
  const random = stream(0, 'together', k);
  return {
    'batch/images': pixels(
      [BATCH, 28, 28, 1],
      Uint8Array.from(random.uniform(BATCH * 784, 0, 256)),
    ),
    'noise/latents': floats([BATCH, 16], random.uniform(BATCH * 16)),
    // Rates may differ from step to step.
    'rates/generator': floats([], Float32Array.of(2e-4 / (k + 1))),
    'rates/discriminator': floats([], Float32Array.of(5e-4)),
  };
});
const start = startingState(gan.state, 'normal', stream(0, 'initialization'));

async function train(groups: readonly (readonly State[])[]) {
  const step = await compile(phase.step, phase.inputs, { device: 'cpu' });
  step.load(start);
  const metrics = [];
  for (const group of groups) metrics.push(...(await step.runAll(group)));
  const state = step.state();
  await step.dispose();
  return { metrics, state };
}

it('a training comes to the same bytes, however the steps are grouped', async () => {
  const apart = await train(feeds.map((each) => [each]));
  expect(apart.metrics).toHaveLength(STEPS);
  expect(await train([feeds])).toEqual(apart);
  expect(await train([feeds.slice(0, 2), [], feeds.slice(2)])).toEqual(apart);
});

it('a call of several steps is what TF.js computes, step by step', async () => {
  const { metrics } = await train([feeds.slice(0, 2)]);
  let state = start;
  for (const [k, found] of metrics.entries()) {
    const eager = runEagerly(phase.step, phase.inputs, { state, feeds: feeds[k] as State });
    state = eager.state;
    for (const [name, loss] of Object.entries(eager.metrics)) {
      expect(Math.abs((found[name] as number) / loss - 1)).toBeLessThan(1e-4);
    }
  }
});

it('the engine takes a small step on one thread, unless told how many', async () => {
  const reason = async (options: CompileOptions) => {
    const step = await compile(phase.step, phase.inputs, { device: 'cpu', ...options });
    await step.dispose();
    return step.reason;
  };
  const all = processors();
  const inAll = `cpu: as asked, ${all} ${all === 1 ? 'thread' : 'threads'}`;
  expect(await reason({ flops: 6.5e6 })).toBe('cpu: as asked, 1 thread');
  expect(await reason({ flops: 6.5e6, threads: 3 })).toBe('cpu: as asked, 3 threads');
  expect(await reason({ flops: 3.8e9 })).toBe(inAll);
  expect(await reason({})).toBe(inAll);
});

it('the engine takes a step with much to update on all threads, however little it multiplies', () => {
  const threads = (side: number) => threadsFor(1e6, { state: { w: spec([side, side]) } });
  expect([threads(10), threads(1000)]).toEqual([1, processors()]);
});
