/** The eager engine against the compiled one, on TF.js's cpu backend. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { eagerStep } from '../src/engine/eager.js';
import type { CompiledStep, State } from '../src/engine/types.js';
import { smallGan } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

const { phases, start } = smallGan('dcgan-mnist');
const { step, inputs: specs, feeds } = phases[0] as (typeof phases)[number];
const backend = { backend: 'cpu', device: 'cpu', reason: 'by a test' };

/** Over all tensors, the largest of largest difference over largest magnitude. */
function distance(a: State, b: State): number {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  return Math.max(
    ...Object.entries(b).map(([name, { shape, data }]) => {
      expect(a[name]?.shape, name).toEqual(shape);
      const other = a[name]?.data as Float32Array;
      const wanted = data as Float32Array;
      const magnitude = wanted.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-12);
      return (
        wanted.reduce((m, x, i) => Math.max(m, Math.abs(x - (other[i] as number))), 0) / magnitude
      );
    }),
  );
}

describe('the eager engine', () => {
  let eager: CompiledStep;
  let before: number;
  beforeEach(() => {
    before = tf.memory().numTensors;
    eager = eagerStep(step, specs, backend);
    eager.load(start);
  });
  afterEach(() => eager.dispose());

  it('trains as the compiled one does, from a state that either hands over', async () => {
    const compiled = await compile(step, specs, { device: 'cpu' });
    compiled.load(start);
    for (let i = 0; i < 3; i++) {
      const [a, b] = [await eager.run(feeds(i)), await compiled.run(feeds(i))];
      expect(Object.keys(a)).toEqual(Object.keys(b));
      for (const name in b) expect(a[name]).toBeCloseTo(b[name] as number, 4);
    }
    expect(distance(eager.state(), compiled.state())).toBeLessThan(1e-3);
    expect(distance(start, compiled.state())).toBeGreaterThan(0.01);

    eager.load(compiled.state());
    expect(distance(eager.state(), compiled.state())).toBe(0);
    await eager.run(feeds(3));
    await compiled.run(feeds(3));
    expect(distance(eager.state(), compiled.state())).toBeLessThan(1e-4);
    await compiled.dispose();
  });

  it('says what it runs on, and keeps as many tensors as its state has', async () => {
    expect(eager).toMatchObject({ device: 'cpu', reason: 'by a test' });
    const held = tf.memory().numTensors;
    expect(held).toBe(before + Object.keys(start).length);
    await eager.run(feeds(0));
    expect(tf.memory().numTensors).toBe(held);
    await eager.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names what a state or its feeds lack', async () => {
    const { 'noise/latents': _, ...incomplete } = feeds(0);
    await expect(eager.run(incomplete)).rejects.toThrow('noise/latents is not given');
    expect(() => eager.load({})).toThrow(/^the state lacks generator\/params\//);
  });
});
