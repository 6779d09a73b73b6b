/** What a training comes to depends on its number of threads, not on where it is asked for. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveRecipe, train } from '@gpn/training';
import { afterAll, expect, test } from 'vitest';
import { gpn, scratchFolder } from './cli.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LAST = 'checkpoints/step-000030.safetensors';

// Thirty steps of sixty-four: with two threads sums are rounded differently by then, if there are two.
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

test('a run that goes on with other threads, or another version, says so, once', () => {
  const begun = ['train', 'gan-zeros', '--batch-size', '64', '--out', 'moved', '--device', 'cpu'];
  const go = (steps: number, threads: number) => {
    const run = gpn(folder, ...begun, '--resume', '--steps', `${steps}`, '--threads', `${threads}`);
    expect(run.code, run.stderr).toBe(0);
    return /Until now the run was computed on (.+), from here on it is computed on (.+): /.exec(
      run.stderr,
    );
  };
  const { version } = JSON.parse(
    readFileSync(new URL('../training/package.json', import.meta.url), 'utf8'),
  );
  const now = `gpn ${version}`;
  expect([go(2, 1), go(4, 1)]).toEqual([null, null]);
  expect(go(6, 3)?.slice(1)).toEqual([`cpu, 1 thread, ${now}`, `cpu, 3 threads, ${now}`]);
  expect(go(8, 3)).toBeNull();
  const last = join(folder, 'moved/checkpoints/step-000008.safetensors');
  const another = now.replace(/\d$/, (digit) => `${9 - Number(digit)}`); // as long: the file stays whole
  // A file without a checksum, as earlier versions wrote them.
  const forged = readFileSync(last, 'latin1').replace(now, another).replace('"sha256"', '"sha-25"');
  writeFileSync(last, forged, 'latin1');
  expect(go(10, 3)?.[1]).toBe(`cpu, 3 threads, ${another}`);
  expect(go(12, 3)).toBeNull();
});
