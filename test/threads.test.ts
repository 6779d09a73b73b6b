/** What a training comes to depends on its number of threads, not on where it is asked for. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resolveRecipe, train } from '@gpn/training';
import { afterAll, expect, test } from 'vitest';
import { gpn, scratchFolder } from './cli.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LAST = 'checkpoints/step-000030.safetensors';

// Thirty steps of sixty-four: with two threads sums are rounded otherwise by then, where there are two.
test('--threads 1 trains to the bytes of one thread, fed by another', async () => {
  const told = gpn(
    folder,
    ...['train', 'gan-zeros', '--steps', '30', '--batch-size', '64', '--out', 'told'],
    ...['--device', 'cpu', '--threads', '1'],
  );
  expect(told.code, told.stderr).toBe(0);
  const recipe = resolveRecipe('gan-zeros', { steps: 30, batchSize: 64 });
  await train(recipe, { out: join(folder, 'called'), device: 'cpu', threads: 1 });
  expect(readFileSync(join(folder, 'told', LAST))).toEqual(
    readFileSync(join(folder, 'called', LAST)),
  );
});

test('a run that goes on with another number of threads says so, once', () => {
  const begun = ['train', 'gan-zeros', '--batch-size', '64', '--out', 'moved', '--device', 'cpu'];
  const says =
    'Until now the run was computed on cpu, 1 thread, from here on it is on cpu, 3 threads';
  const go = (steps: number, threads: number) => {
    const run = gpn(folder, ...begun, '--resume', '--steps', `${steps}`, '--threads', `${threads}`);
    expect(run.code, run.stderr).toBe(0);
    return run.stderr.includes(says);
  };
  expect([go(2, 1), go(4, 1), go(6, 3), go(8, 3)]).toEqual([false, false, true, false]);
});
