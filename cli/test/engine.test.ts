/**
 * `gpn-cli train --engine tensorflow`, with the package absent and with a stand-in for it. Its tests
 * on the package itself are in test/tensorflow.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bin, interrupted, listing, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STAND_IN = new URL('./tensorflow-stand-in.mjs', import.meta.url).href;

function train(args: string[], options = '') {
  const words = [bin, 'train', 'dcgan-mnist', '--out', 'run', '--batch-size', '2', ...args];
  return spawnSync(process.execPath, words, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: options },
  });
}

test.each([
  [
    'is absent',
    '?absent',
    'The engine tensorflow is not installed: run `npm install --ignore-scripts=false @tensorflow/tfjs-node@4.22.0`, or use the engine onnx.',
  ],
  [
    'lacks its native part',
    '?bare',
    '@tensorflow/tfjs-node is installed without its native part, because its install script did not run or had no network: run `npm rebuild --ignore-scripts=false @tensorflow/tfjs-node`, or use the engine onnx.',
  ],
])('train --engine tensorflow says what to do if the package %s', (_, kind, sentence) => {
  const words = ['--engine', 'tensorflow', '--device', 'cpu', '--steps', '1'];
  const { status, stderr } = train(words, `--import=${STAND_IN}${kind}`);
  expect(status).toBe(2);
  expect(stderr).toBe(`gpn-cli: ${sentence}\n`);
  expect(listing(folder)).toEqual([]);
});

test('train refuses devices and threads that TensorFlow does not support, and unknown engines', () => {
  const webgpu = train(['--engine', 'tensorflow', '--device', 'webgpu', '--steps', '1']);
  expect(webgpu.status).toBe(2);
  expect(webgpu.stderr).toBe(
    'gpn-cli: The engine tensorflow has no device webgpu: use auto, cpu or cuda, or the engine onnx.\n',
  );
  const threads = train(['--engine', 'tensorflow', '--threads', '1', '--steps', '1']);
  expect(threads.status).toBe(2);
  expect(threads.stderr).toBe(
    'gpn-cli: The engine tensorflow chooses its threads itself: leave --threads out, or use the engine onnx.\n',
  );
  const unknown = train(['--engine', 'torch']);
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toMatch(/^gpn-cli: .*--engine.*torch.*onnx, tensorflow/);
  expect(listing(folder)).toEqual([]);
});

test('train continues with the engine onnx what a stand-in for TensorFlow began', () => {
  const eager = ['--engine', 'tensorflow', '--device', 'cpu', '--steps', '1'];
  const first = train(eager, `--import=${STAND_IN}`);
  expect(first.status, first.stderr).toBe(0);
  expect(first.stderr).toContain('on tensorflow cpu (by @tensorflow/tfjs-node)');
  expect(existsSync(join(folder, 'run/generator.onnx'))).toBe(true);

  const second = train(['--steps', '2', '--device', 'cpu', '--resume']);
  expect(second.status, second.stderr).toBe(0);
  const compiled = join(folder, 'compiled');
  const whole = train(['--steps', '2', '--device', 'cpu', '--out', compiled]);
  expect(whole.status, whole.stderr).toBe(0);

  const losses = (run: string) =>
    readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { step: number; generator: number; discriminator: number },
      );
  const [mixed, pure] = [losses('run'), losses('compiled')];
  expect(mixed.map(({ step }) => step)).toEqual([1, 2]);
  mixed.forEach((row, i) => {
    for (const role of ['generator', 'discriminator'] as const)
      expect(row[role] / (pure[i]?.[role] as number)).toBeCloseTo(1, 3);
  });
});

test('Ctrl-C stops an engine whose steps wait for nothing, with a checkpoint to go on from', async () => {
  const words = [bin, 'train', 'dcgan-mnist', '--out', 'stopped', '--batch-size', '2', '--json'];
  const child = spawn(process.execPath, [...words, '--engine', 'tensorflow', '--device', 'cpu'], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: `--import=${STAND_IN}` },
  });
  const { step, checkpoint } = await interrupted(child, join(folder, 'stopped'));
  const more = String(step + 1);
  const { status, stderr, stdout } = train([
    '--out',
    'stopped',
    '--device',
    'cpu',
    '--resume',
    '--steps',
    more,
    '--json',
  ]);
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: 'done', step: step + 1 });
  expect(existsSync(join(folder, checkpoint))).toBe(true);
});
