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
