import type { TensorData } from '@gpn/runtime';
import { expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { smallGan } from './small-gan.js';

it.each(['dcgan-mnist', 'began-mnist', 'gpn-mnist'])(
  'the average of a generator of %s starts as it does and follows it',
  async (name) => {
    const keep = 0.75;
    const { phases, start } = smallGan(name, { training: { generator_average: keep } });
    const phase = phases.find(({ rates }) => 'generator' in rates) as (typeof phases)[number];
    const step = await compile(phase.step, phase.inputs, { device: 'cpu' });
    step.load(start);
    await step.run(phase.feeds(0));
    const after = step.state();
    await step.dispose();
    const of = (state: typeof start, path: string) => (state[path] as TensorData).data;
    // The training itself is what it is without.
    const without = smallGan(name).start;
    for (const [path, { data }] of Object.entries(without))
      expect(of(start, path), path).toEqual(data);
    const averages = Object.keys(start).filter((path) => path.startsWith('generator/average/'));
    const learnt = Object.keys(start).filter((path) => path.startsWith('generator/params/'));
    expect(averages).toHaveLength(learnt.length);
    for (const path of averages) {
      const own = path.replace('average/', 'params/');
      const [first, now] = [of(start, own), of(after, own)];
      expect(of(start, path), path).toEqual(first);
      of(after, path).forEach((x, i) => {
        const wanted = keep * Number(first[i]) + (1 - keep) * Number(now[i]);
        expect(Math.abs(Number(x) - wanted), path).toBeLessThan(1e-6);
      });
    }
  },
);

it('a ramped average follows the weights closely at first', async () => {
  const training = { generator_average: 0.75, average_ramp: 1 };
  const { phases, start } = smallGan('dcgan-mnist', { training });
  const [phase] = phases as [(typeof phases)[number]];
  const step = await compile(phase.step, phase.inputs, { device: 'cpu' });
  step.load(start);
  const of = (path: string) => (step.state()[path] as TensorData).data.slice() as Float32Array;
  const path = Object.keys(start).find((name) => name.startsWith('generator/params/')) as string;
  const weights: Float32Array[] = [];
  let average: Float32Array = new Float32Array();
  for (let k = 0; k < 6; k++) {
    await step.run(phase.feeds(k));
    weights.push(of(path));
    average = of(path.replace('params', 'average'));
  }
  await step.dispose();
  // Steps 0 to 3 keep 0, 1/2, 2/3, 3/4: the mean of the first four. The others keep 3/4.
  const mean = (i: number) => weights.slice(0, 4).reduce((sum, w) => sum + (w[i] ?? 0) / 4, 0);
  average.forEach((x, i) => {
    const later = 0.75 * mean(i) + 0.25 * (weights[4]?.[i] ?? 0);
    expect(Math.abs(x - (0.75 * later + 0.25 * (weights[5]?.[i] ?? 0)))).toBeLessThan(1e-6);
  });
});
