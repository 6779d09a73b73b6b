/** The main job with the built command on real MNIST, short: train, resume, export, draw, inspect. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, describe, expect, test } from 'vitest';
import { bin, gpn, listing, scratchFolder, until } from './cli.js';

const folder = scratchFolder();
const file = (name: string) => readFileSync(join(folder, name));
const steps = (run: string) =>
  String(file(`${run}/metrics.jsonl`))
    .trim()
    .split('\n').length;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (run: string, ...args: string[]) => [
  ...['train', 'dcgan-mnist', '--device', 'cpu', '--out', run],
  ...args,
];

test('a training can be resumed, exported, drawn from and inspected by the built command', () => {
  const first = gpn(folder, ...train('run', '--steps', '3', '--batch-size', '8', '--json'));
  expect(first.code, first.stderr).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({
    type: 'done',
    step: 3,
    generator: join('run', 'generator.onnx'),
    discriminator: join('run', 'discriminator.onnx'),
  });
  expect(first.stderr).toMatch(/60,000 images, 3 steps, on cpu/);
  expect(first.stderr).toMatch(/100% · 3\/3 · ETA 0:00 · [\d,]+ images\/s · D \d.* · G \d/);
  expect(listing(join(folder, 'run'))).toEqual([
    'checkpoints',
    'checkpoints/step-000003.safetensors',
    'discriminator.onnx',
    'generator.onnx',
    'losses.svg',
    'metrics.jsonl',
    'recipe.yml',
    'samples',
    'samples/step-000003.png',
    'tensorboard',
    expect.stringMatching(/^tensorboard\/events\.out\.tfevents\.\d+\.gpn\.000$/),
  ]);
  expect(steps('run')).toBe(3);

  const again = gpn(folder, ...train('run', '--steps', '5', '--batch-size', '8'));
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('--resume')]);
  const more = gpn(folder, ...train('run', '--steps', '5', '--batch-size', '8', '--resume'));
  expect(more.code, more.stderr).toBe(0);
  expect(steps('run')).toBe(5);

  // A run exports its newest checkpoint: what the training itself exported at its end.
  for (const network of ['generator', 'discriminator']) {
    expect(gpn(folder, 'export', 'run', '--network', network, '-o', 'again.onnx').code).toBe(0);
    expect(file('again.onnx').equals(file(`run/${network}.onnx`)), network).toBe(true);
  }

  const drawn = gpn(folder, 'sample', '--model', 'run/generator.onnx', '--out', 'digits.png');
  expect(drawn.code, drawn.stderr).toBe(0);
  // 8 × 8 digits of 28 × 28 pixels, 2 pixels apart.
  expect(decode(file('digits.png'))).toMatchObject({ width: 238, height: 238, channels: 1 });

  const { stdout } = gpn(folder, 'inspect', 'run/discriminator.onnx', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    inputs: [{ dtype: 'float32', shape: ['N', 28, 28, 1] }],
    metadata: { gpn: { kind: 'discriminator', training: { steps: 5, seed: 0 } } },
  });

  const wrong = gpn(folder, 'sample', '--model', 'run/discriminator.onnx');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('is a discriminator')]);
});

describe('a training that is interrupted', () => {
  /** Starts a training that would take hours, and waits until it has done a step. */
  async function training(run: string): Promise<{ child: ChildProcess; stderr: () => string }> {
    const child = spawn(
      process.execPath,
      [bin, ...train(run, '--steps', '100000', '--batch-size', '128')],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr += text;
    });
    const log = join(folder, run, 'metrics.jsonl');
    await until(child, () => existsSync(log) && readFileSync(log).length > 0);
    return { child, stderr: () => stderr };
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s saves a checkpoint and exits with 0',
    async (signal) => {
      const { child, stderr } = await training(signal);
      child.kill(signal);
      expect(await once(child, 'exit'), stderr()).toEqual([0, null]);
      expect(stderr()).toContain('Saving a checkpoint');
      const done = steps(signal);
      const [checkpoint] = listing(join(folder, signal, 'checkpoints'));
      expect(checkpoint).toBe(`step-${String(done).padStart(6, '0')}.safetensors`);
      expect(existsSync(join(folder, signal, 'generator.onnx'))).toBe(false);

      const last = String(done + 1);
      const args = train(signal, '--steps', last, '--batch-size', '128', '--resume');
      const resumed = gpn(folder, ...args);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(steps(signal)).toBe(done + 1);
    },
  );

  test('by two signals stops at once', async () => {
    const { child, stderr } = await training('twice');
    child.kill('SIGINT');
    await until(child, () => stderr().includes('Ctrl-C again'));
    child.kill('SIGINT');
    expect(await once(child, 'exit'), stderr()).toEqual([130, null]);
  });
});
