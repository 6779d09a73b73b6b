/** Runs whose files were damaged, lost or mixed with those of another. */
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../src/checkpoint/checkpoint.js';
import { exportRun } from '../src/export/run.js';
import { encodeSafetensors } from '../src/files/safetensors.js';
import { readSafetensors } from '../src/files/safetensors-file.js';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { train } from '../src/run/loop.js';
import { temporaryFolder } from './temp-folder.js';
import { readEvents } from './tracking/read-events.js';

const folder = await temporaryFolder();

/** A training of eight steps with a checkpoint at every second one; three are kept. */
function recipeOf(seed = 0, steps = 8) {
  const recipe = resolveRecipe('gan-zeros', { steps, seed });
  const output = { samples_every: 100, checkpoint_every: 2, sample_count: 4 };
  return checkRecipe({
    ...recipe,
    output: { ...output, evaluate_every: 4, evaluate_samples: 100 },
  });
}

/** Continues a run, and returns its notes. */
async function resume(out: string, recipe = recipeOf()): Promise<string[]> {
  const notes: string[] = [];
  await train(recipe, {
    ...{ out, resume: true, device: 'cpu', threads: 1 },
    on: (event) => event.type === 'note' && notes.push(event.text),
  });
  return notes;
}

const [whole, other] = [join(folder, 'whole'), join(folder, 'other')];
beforeAll(async () => {
  await resume(whole);
  await resume(other, recipeOf(1));
});

let copies = 0;
/** A copy of the run without its exported networks. */
function copy(): string {
  const out = join(folder, `copy-${copies++}`);
  cpSync(whole, out, { recursive: true });
  for (const name of readdirSync(out)) if (name.endsWith('.onnx')) rmSync(join(out, name));
  return out;
}

const step = (out: string, at: number) => join(out, `checkpoints/step-00000${at}.safetensors`);

function expectSame(out: string): void {
  const files = ['generator.onnx', 'best-generator.onnx', 'metrics.jsonl'];
  for (const name of [
    ...files,
    'checkpoints/step-000008.safetensors',
    'checkpoints/best.safetensors',
  ]) {
    expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

test('a truncated newest checkpoint is passed over and said, and the run ends with the same bytes', async () => {
  const out = copy();
  truncateSync(step(out, 8), 3000);
  const { problems } = await exportRun(out, { network: 'generator', out: join(folder, 'x.onnx') });
  expect(problems[0]).toContain(`${step(out, 8)} is not a usable safetensors file: `);
  const [note] = await resume(out);
  expect(note).toContain('The run continues from ');
  expectSame(out);
});

test('one flipped bit of a weight or of the recipe is noticed in each checkpoint', async () => {
  const out = copy();
  const length = readFileSync(step(out, 8)).length;
  flip(step(out, 8), length - 7);
  flip(step(out, 6), length >> 1);
  flip(step(out, 4), readFileSync(step(out, 4)).indexOf('draws the zeros'));
  for (const at of [8, 6, 4]) {
    await expect(readCheckpoint(step(out, at))).rejects.toThrow(
      new UserError(`${step(out, at)} is damaged: its contents do not match its checksum.`),
    );
  }
  rmSync(join(out, 'checkpoints/best.safetensors'));
  await expect(resume(out)).rejects.toThrow(`${step(out, 8)} is damaged`);
  await expect(
    exportRun(out, { network: 'generator', out: join(folder, 'x.onnx') }),
  ).rejects.toThrow(`${step(out, 8)} is damaged`);
});

test('a log that is too short is made up for from an older checkpoint', async () => {
  const out = copy();
  const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('\n');
  const seventh = lines.findIndex((line) => line.startsWith('{"step":7,'));
  writeFileSync(join(out, 'metrics.jsonl'), `${lines.slice(0, seventh).join('\n')}\n{"step":7,"ep`);
  const [note] = await resume(out);
  expect(note).toContain('has no lines for the steps 7 to 8, ');
  expectSame(out);
});

test('a log that no checkpoint reaches is said to lack its lines, once', async () => {
  const out = copy();
  rmSync(join(out, 'metrics.jsonl'));
  expect(await resume(out)).toEqual([
    expect.stringContaining('metrics.jsonl has no lines for the steps 1 to 8, '),
  ]);
  // The next checkpoint is written with the log as it is.
  expect(await resume(out, recipeOf(0, 10))).toEqual([expect.any(String)]);
  expect(await resume(out, recipeOf(0, 10))).toEqual([]);
});

test('a run with the log or the recipe of another is refused', async () => {
  const out = copy();
  cpSync(join(other, 'metrics.jsonl'), join(out, 'metrics.jsonl'));
  await expect(resume(out)).rejects.toThrow(
    `${join(out, 'metrics.jsonl')} is not the log of the training that wrote ${step(out, 8)}`,
  );
  cpSync(join(whole, 'metrics.jsonl'), join(out, 'metrics.jsonl'));
  cpSync(join(other, 'recipe.yml'), join(out, 'recipe.yml'));
  const mixed = `${out} holds files of different trainings: `;
  await expect(resume(out)).rejects.toThrow(mixed);
  for (const best of [false, true]) {
    const exported = exportRun(out, { network: 'generator', out: join(folder, 'x.onnx'), best });
    await expect(exported).rejects.toThrow(mixed);
  }
});

test('a best checkpoint of another run or a missing one is not gone back to', async () => {
  const out = copy();
  const best = join(out, 'checkpoints/best.safetensors');
  const { progress } = await readCheckpoint(best);
  rmSync(step(out, 8));
  if (progress.step === 8) rmSync(step(out, 6));
  const before = await readCheckpoint(step(out, progress.step === 8 ? 4 : 6));
  cpSync(join(other, 'checkpoints/best.safetensors'), best);
  const notes = await resume(out);
  expect(notes.filter((note) => note.includes('is not the checkpoint of step'))).toHaveLength(
    before.progress.watch?.best && before.progress.watch.best.step !== before.progress.step ? 1 : 0,
  );
});

test('the files of version 0.2.0 have no checksum and no identity, and are continued', async () => {
  const out = copy();
  for (const path of readdirSync(join(out, 'checkpoints')).map((name) =>
    join(out, 'checkpoints', name),
  )) {
    const { tensors, metadata } = await readSafetensors(path);
    const { sha256: _, log: __, ...old } = metadata;
    writeFileSync(path, encodeSafetensors(tensors, old));
  }
  const yaml = readFileSync(join(out, 'recipe.yml'), 'utf8');
  writeFileSync(join(out, 'recipe.yml'), yaml.slice(yaml.indexOf('\n') + 1));
  expect(await resume(out)).toEqual([]);
  for (const name of ['generator.onnx', 'best-generator.onnx', 'metrics.jsonl']) {
    expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
  expect(await resume(out, recipeOf(0, 10))).toEqual([]);
});

test('an event file that ends within a record is cut there, and one that is missing is said', async () => {
  const out = copy();
  const [name = ''] = readdirSync(join(out, 'tensorboard'));
  const path = join(out, 'tensorboard', name);
  const records = readEvents(readFileSync(path)).length;
  appendFileSync(path, readFileSync(path).subarray(0, 25));
  expect(await resume(out)).toEqual([]);
  expect(readEvents(readFileSync(path))).toHaveLength(records);
  appendFileSync(path, Buffer.alloc(100));
  await resume(out);
  expect(readEvents(readFileSync(path))).toHaveLength(records);
  for (const each of readdirSync(join(out, 'tensorboard'))) rmSync(join(out, 'tensorboard', each));
  expect(await resume(out)).toEqual([
    expect.stringContaining('tensorboard has nothing of the steps 1 to 8: '),
  ]);
});
