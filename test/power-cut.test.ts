/**
 * A power cut takes what was not synced. A small library records what commands do to their files, and
 * the test works out what a cut after any of the operations may leave of their results.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '@gpn/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bin, scratchFolder } from './cli.js';
import { root } from './imports.js';
import { leftAfter, type Operation, readTrace } from './kills/replay.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const library = join(folder, 'recorder.so');
const compiled =
  process.platform === 'linux' &&
  spawnSync('cc', [
    ...['-shared', '-fPIC', '-O2', '-o', library, join(root, 'test/kills/recorder.c')],
    ...['-ldl', '-lpthread'],
  ]).status === 0;
if (!compiled && process.env.GPN_CC === 'required') throw new Error('there is no C compiler');

/** Runs the command, and returns what it did to the files below a folder. */
function recorded(below: string, ...args: string[]): Operation[] {
  const trace = `${below}.trace`;
  rmSync(trace, { force: true });
  const { status, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, RECORD_BELOW: below, RECORD_TO: trace, LD_PRELOAD: library },
  });
  expect(status, stderr).toBe(0);
  return readTrace(trace);
}

const random = stream(20, 'power cuts');
const toss = () => random.below(1, 2)[0] === 1;
const nothing = () => false;
const everything = () => true;

const withoutSyncs = (operations: readonly Operation[]) =>
  operations.filter(({ name }) => name !== 'sync');

describe.skipIf(!compiled)('a power cut (skipped without a C compiler)', () => {
  const below = join(folder, 'power');
  const out = join(below, 'run');
  const recipe = join(root, 'test/kills/recipe.yml');
  const train = (to: string) => [
    ...['train', recipe, '--out', to, '--steps', '8', '--resume'],
    ...['--device', 'cpu', '--threads', '1'],
  ];
  mkdirSync(below);

  beforeAll(() => {
    const { status, stderr } = spawnSync(process.execPath, [bin, ...train(out)]);
    if (status !== 0) throw new Error(String(stderr));
  });

  test.each([
    ['export', (at: string) => ['export', out, '-o', join(at, 'result.onnx')]],
    [
      'eval --write',
      (at: string) => [
        ...['eval', '--model', join(at, 'result.onnx'), '--write'],
        ...['--data', 'mnist', '--samples', '50', '--device', 'cpu'],
      ],
    ],
  ])('leaves the result of %s as it was before or as it is after', (_, args) => {
    const at = join(folder, 'result');
    mkdirSync(at, { recursive: true });
    const path = join(at, 'result.onnx');
    if (readdirSync(at).length === 0) copyFileSync(join(out, 'discriminator.onnx'), path);
    const before = readFileSync(path);
    const operations = recorded(at, ...args(at));
    const after = readFileSync(path);
    expect(after.equals(before)).toBe(false);
    expect(operations.map(({ name }) => name)).toContain('rename');
    const seen = (some: readonly Operation[], luck: () => boolean) =>
      some.map((_, index) => leftAfter(some.slice(0, index + 1), luck).get(path));
    const whole = (bytes: Buffer | 'folder' | undefined) =>
      bytes === undefined || (bytes as Buffer).equals(after); // undefined: it is still the file before
    for (const luck of [nothing, toss, everything]) {
      expect(seen(operations, luck).every(whole)).toBe(true);
    }
    expect(seen(operations, nothing).at(-1)).toEqual(after);
    expect(seen(withoutSyncs(operations), nothing).every(whole)).toBe(false);
  });
});
