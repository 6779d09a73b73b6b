/**
 * A power cut takes what was not synced. A small library records what commands do to their files, and
 * the test works out what a cut after any of the operations may leave. Trainings are resumed from a drawn
 * part of it: GPN_POWER_CUTS says from how much, and `all` from everything.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stream } from '@gpn/runtime';
import { resolveRecipe, train } from '@gpn/training';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bin, scratchFolder } from './cli.js';
import { root } from './imports.js';
import { type Left, leftAfter, type Operation, readTrace } from './kills/replay.js';

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

/** Runs a script of Node, and returns what it did to the files below a folder. */
function recorded(below: string, script: string, ...args: string[]): Operation[] {
  const trace = `${below}.trace`;
  rmSync(trace, { force: true });
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
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

/** Puts what a power cut left of one folder into another. */
function restore(left: Left, from: string, to: string): void {
  for (const [path, bytes] of left) {
    const target = join(to, relative(from, path));
    if (bytes === 'folder') mkdirSync(target, { recursive: true });
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, bytes);
    }
  }
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Every file with the digest of its bytes; of TensorBoard's, which hold the time of day, none. */
const contents = (at: string) =>
  Object.fromEntries(
    readdirSync(at, { recursive: true, encoding: 'utf8' })
      .filter((name) => !/events\.out\.tfevents/.test(name) && statSync(join(at, name)).isFile())
      .sort()
      .map((name) => [name, digest(readFileSync(join(at, name)))]),
  );

/** Continues what kills/series.mjs began with one seed. */
async function resume(recipe: string, out: string): Promise<void> {
  const resolved = resolveRecipe(recipe, { seed: 1, steps: 8 });
  const output = { ...resolved.output, on_collapse: 'warn' as const };
  await train({ ...resolved, output }, { out, resume: true, device: 'cpu', threads: 1 });
}

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
    const operations = recorded(at, bin, ...args(at));
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

  test('leaves a training that resumes to the bytes of an unbroken one', async () => {
    const at = join(folder, 'training');
    mkdirSync(at);
    const series = join(root, 'test/kills/series.mjs');
    const operations = recorded(at, series, recipe, at, '8', '1');
    const expected = contents(join(at, 'seed-1'));
    const cuts = operations.flatMap((_, index) =>
      [nothing, toss, everything].map((luck) => leftAfter(operations.slice(0, index + 1), luck)),
    );
    // What was synced last is there after a cut, whatever else is lost: the last checkpoint too.
    const last = leftAfter(operations, nothing);
    expect([...last.keys()].some((path) => path.endsWith('step-000008.safetensors'))).toBe(true);

    const asText = (left: Left) =>
      [...left]
        .map(([path, bytes]) => `${path} ${bytes === 'folder' ? bytes : digest(bytes)}`)
        .sort();
    const distinct = [...new Map(cuts.map((left) => [asText(left).join('\n'), left])).values()];
    const order = random.permutation(distinct.length);
    const wanted =
      process.env.GPN_POWER_CUTS === 'all'
        ? distinct.length
        : Number(process.env.GPN_POWER_CUTS ?? 5);
    for (const [k, index] of [...order].slice(0, wanted).entries()) {
      const to = join(folder, `cut-${k}`);
      restore(distinct[index] as Left, at, to);
      await resume(recipe, join(to, 'seed-1'));
      expect(contents(join(to, 'seed-1')), `cut ${k} of ${distinct.length}`).toEqual(expected);
      rmSync(to, { recursive: true });
    }
  });
});
