/**
 * A power cut takes what was not synced. A small library records what commands do to their files, and
 * the test works out what a cut after any of the operations may leave: each file that has its name must
 * be whole, and a training must continue from it to the same bytes.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '@gpn/runtime';
import { afterAll, describe, expect, test } from 'vitest';
import { type Checkpoint, readCheckpoint } from '../training/src/checkpoint/checkpoint.js';
import { linesUpTo } from '../training/src/files/metrics-log.js';
import { bin, listing, scratchFolder } from './cli.js';
import { root } from './imports.js';
import { type Left, leftAfter, type Operation, readTrace, restore } from './kills/replay.js';

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

/** A number of states after drawn operations; every other one loses all that it may. */
const drawn = (operations: readonly Operation[], count: number): Left[] =>
  Array.from({ length: count }, (_, i) => {
    const [after = 0] = random.below(1, operations.length);
    return leftAfter(operations.slice(0, after), i % 2 === 0 ? nothing : toss);
  });

type Files = ReadonlyMap<string, Buffer>;

const filesOf = (at: string): Files =>
  new Map(
    listing(at)
      .filter((name) => /\.\w+$/.test(name))
      .map((name) => [name, readFileSync(join(at, name))]),
  );

/** The files below a run's folder, by their names in it. */
const filesIn = (left: Left, run: string): Files =>
  new Map(
    [...left].flatMap(([path, bytes]) =>
      bytes !== 'folder' && path.startsWith(`${run}/`) ? [[path.slice(run.length + 1), bytes]] : [],
    ),
  );

/** Files that grow, and files that do not have their names yet. */
const GROWING = /metrics\.jsonl$|tfevents|\.tmp$|\.lock-/;

/** The names of the files that are not the same in both, growing ones apart. */
const differing = (a: Files, b: Files): string[] =>
  [...new Set([...a.keys(), ...b.keys()])]
    .filter((name) => !GROWING.test(name))
    .filter((name) => !a.get(name)?.equals(b.get(name) ?? Buffer.alloc(0)));

const read = new Map<string, Promise<Checkpoint | Error>>();

/** A checkpoint, or what is wrong with it; the same bytes are read once. */
function checkpointOf(bytes: Buffer): Promise<Checkpoint | Error> {
  const key = createHash('sha256').update(bytes).digest('hex');
  const path = join(folder, `${key}.safetensors`);
  const known = read.get(key);
  if (known) return known;
  writeFileSync(path, bytes);
  const found = readCheckpoint(path).catch((error: Error) => error);
  read.set(key, found);
  return found;
}

/** What is wrong with the files of a run, compared with one that nothing happened to. */
async function faults(files: Files, whole: Files): Promise<string[]> {
  const found: string[] = [];
  const log = join(folder, 'metrics.jsonl');
  writeFileSync(log, files.get('metrics.jsonl') ?? '');
  for (const [name, bytes] of files) {
    if (GROWING.test(name)) continue;
    if (!name.endsWith('.safetensors')) {
      if (!whole.get(name)?.equals(bytes)) found.push(`${name} is not whole`);
      continue;
    }
    const checkpoint = await checkpointOf(bytes);
    if (checkpoint instanceof Error) {
      found.push(`${name}: ${checkpoint.message}`);
      continue;
    }
    const { missing, foreign } = await linesUpTo(log, checkpoint.progress.step, checkpoint.log);
    if (missing || foreign) found.push(`the log does not reach ${name}`);
  }
  return found;
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

  test('leaves a training that continues to the same bytes, whatever it takes', async () => {
    const operations = recorded(below, ...train(out));
    const whole = filesOf(out);
    // The recorder misses nothing, and what a finished training reports does not depend on luck.
    for (const luck of [everything, nothing]) {
      expect(differing(filesIn(leftAfter(operations, luck), out), whole)).toEqual([]);
    }

    const states = drawn(operations, 60);
    for (const [index, state] of states.entries()) {
      expect(await faults(filesIn(state, out), whole), `state ${index}`).toEqual([]);
    }
    for (const [index, state] of states.slice(-2).entries()) {
      const copy = join(folder, `state-${index}`);
      restore(state, below, copy);
      const run = join(copy, 'run');
      const { status, stderr } = spawnSync(process.execPath, [bin, ...train(run)]);
      expect(status, String(stderr)).toBe(0);
      const ended = filesOf(run);
      expect(differing(ended, whole)).toEqual([]);
      expect(String(ended.get('metrics.jsonl'))).toBe(String(whole.get('metrics.jsonl')));
      rmSync(copy, { recursive: true });
    }

    // It would be seen: without its syncs, the same training leaves broken files.
    const broken: string[] = [];
    for (const state of drawn(withoutSyncs(operations), 20)) {
      broken.push(...(await faults(filesIn(state, out), whole)));
    }
    expect(broken).not.toEqual([]);
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
