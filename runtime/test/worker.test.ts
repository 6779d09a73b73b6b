// The worker, from the built files: a process cannot be started from TypeScript's.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type * as Runtime from '../src/node/index.js';
import { generatorFile } from './tiny.js';

const built = new URL('../dist/node/index.js', import.meta.url).href;
const { Generator, openSession }: typeof Runtime = await import(/* @vite-ignore */ built);
const folder = mkdtempSync(join(tmpdir(), 'gpn-worker-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a generator draws the same in a worker and leaves the event loop free', async () => {
  const here = await Generator.load(generatorFile(), { device: 'cpu' });
  const there = await Generator.load(generatorFile(), { device: 'cpu', threads: 2, worker: true });
  expect([there.device, there.reason]).toEqual(['cpu', 'cpu: as asked, 2 threads']);
  const options = { count: 30, seed: 2, batchSize: 7 };
  const [first, second] = [await here.sample(options), await there.sample(options)];
  expect(second.data).toEqual(first.data);
  // Many at once, and views of one buffer: nothing is taken away from the caller.
  const latents = new Float32Array(40).fill(0.5);
  const many = await Promise.all([1, 2, 3].map(() => there.sample({ latents, batchSize: 4 })));
  for (const { data } of many) expect(data).toEqual(many[0]?.data);
  expect(latents[39]).toBe(0.5);
  await here.dispose();
  await there.dispose();
  await there.dispose();
});

it('a worker reports the same errors as this process, and starts again after it has ended', async () => {
  const wrong = openSession(Uint8Array.of(1, 2, 3), { worker: true, label: 'x.onnx' });
  await expect(wrong).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^x\.onnx is not a complete ONNX file/),
  });
  const path = join(folder, 'tiny.onnx');
  writeFileSync(path, generatorFile());
  const session = await openSession(path, { device: 'cpu', worker: true });
  expect(session.inputNames).toEqual(['z']);
  const z = { dtype: 'float32', shape: [1, 5], data: new Float32Array(5) } as const;
  await expect(session.run({ z })).rejects.toThrow(/z/);
  await session.dispose();
  await expect(session.run({ z })).rejects.toThrow(/disposed/);
});
