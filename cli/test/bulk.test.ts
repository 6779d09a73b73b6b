// Bulk work in this process: parts, plans, shards, and what joins them.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Discriminator, Generator, sha256 } from '@gpn/runtime';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { Job as KubernetesJob } from 'kubernetes-models/batch/v1';
import { parseTar } from 'nanotar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createComputer } from '../src/bulk/compute.js';
import { JOB_FILES, jobName } from '../src/bulk/job-files.js';
import { joinShards } from '../src/bulk/join.js';
import { picturesOf } from '../src/bulk/manifest.js';
import { eachOnce, ofPart, partOf } from '../src/bulk/part.js';
import {
  listText,
  type Plan,
  plannedModel,
  preparePlan,
  rowsFile,
  shardNames,
} from '../src/bulk/plan.js';
import { progressOf } from '../src/bulk/progress.js';
import type { SampleRow, ScoreRow } from '../src/bulk/rows.js';
import { readPicture } from '../src/pictures.js';

const folder = mkdtempSync(join(tmpdir(), 'gpn-bulk-'));
const at = (...names: string[]) => join(folder, ...names);
const before = process.cwd();
beforeAll(async () => {
  process.chdir(folder);
  mkdirSync('pictures/more', { recursive: true });
  const generator = await Generator.load('gpn-mnist');
  const images = await generator.sample({ count: 6, seed: 4 });
  await generator.dispose();
  for (const [k, bytes] of (await images.toPNGs()).entries()) {
    writeFileSync(k < 4 ? `pictures/${k}.png` : `pictures/more/${k}.png`, bytes);
  }
  writeFileSync('broken.png', 'no picture');
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

const DETECTOR = 'gpn-mnist-detector';
const GENERATOR = 'cdcgan-mnist';

/** A plan that scores pictures, prepared in a folder. */
async function scorePlan(
  out: string,
  pictures: string[],
  more: Partial<Plan> = {},
  source = DETECTOR,
): Promise<Plan> {
  const { model } = await plannedModel(source, ['discriminator', 'critic']);
  const text = listText(pictures);
  const digest = await sha256(new TextEncoder().encode(text));
  const common = {
    version: 1,
    kind: 'score',
    model,
    items: pictures.length,
    device: 'cpu',
  } as const;
  const plan = { ...common, pictures: digest, shardSize: 2, ...more } as Plan;
  await preparePlan(out, plan, text);
  return plan;
}

/** Computes all shards, in an order that is not theirs. */
async function computeAll(out: string, plan: Plan): Promise<void> {
  const computer = createComputer();
  for (const shard of [...shardNames(plan).keys()].reverse()) {
    await computer.compute(out, shard, () => {});
  }
}

const rowsOf = <T>(path: string): T[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

test('a part is given by option, by Slurm or by Kubernetes', () => {
  expect(partOf(undefined, {})).toBe(undefined);
  expect(partOf({ index: 1, count: 4 }, {})).toMatchObject({ index: 1, count: 4 });
  const slurm = {
    SLURM_ARRAY_TASK_ID: '3',
    SLURM_ARRAY_TASK_MIN: '1',
    SLURM_ARRAY_TASK_COUNT: '4',
  };
  expect(partOf(undefined, slurm)).toMatchObject({ index: 2, count: 4 });
  expect(partOf({ count: 3 }, { JOB_COMPLETION_INDEX: '2' })).toMatchObject({ index: 2, count: 3 });
  expect(partOf({ index: 0, count: 2 }, slurm)).toMatchObject({ index: 0, count: 2 });
});

test('a part whose number is missing or too large is refused', () => {
  expect(() => partOf(undefined, { JOB_COMPLETION_INDEX: '2' })).toThrow('give --shard N');
  expect(() => partOf({ count: 2 }, {})).toThrow('give --shard I/2 otherwise');
  expect(() => partOf({ count: 2 }, { JOB_COMPLETION_INDEX: '2' })).toThrow(
    'JOB_COMPLETION_INDEX is 2, but the parts are 0 to 1',
  );
});

test('everything is in one part, and what is missing or there twice is named', () => {
  const all = Array.from({ length: 11 }, (_, k) => `${k}`);
  const parts = [0, 1, 2, 3].map((index) => ofPart(all, { index, count: 4, from: '' }));
  expect(parts.flat().sort((a, b) => Number(a) - Number(b))).toEqual(all);
  const found = parts.map((names, k) => [`part-${k}`, names] as const);
  expect(eachOnce(all, found, 'shard').get('6')).toBe('part-2');
  expect(() => eachOnce(all, found.slice(1), 'shard')).toThrow(
    '3 of 11 shards are missing: 0, 4, 8; give the folders of all parts.',
  );
  expect(() => eachOnce(all, [...found, ['again', ['5']]], 'shard')).toThrow(
    '5 is there twice, in part-1 and in again.',
  );
});

const JOB = {
  name: jobName("It's"),
  parts: 3,
  threads: 2,
  words: ['sweep', "it's.yml", '-o', { part: 'out/part-' }, '--jobs', '1'],
  merge: ['merge', { all: 'out/part-' }, '-o', 'out'],
  needs: "it's.yml",
  out: 'out',
};

test('job files name each part by the variable of their engine', () => {
  expect(JOB_FILES.slurm(JOB)).toContain('#SBATCH --array=0-2\n');
  expect(JOB_FILES.slurm(JOB)).toContain(
    `exec npx gpn-cli sweep 'it'\\''s.yml' -o out/part-"$SLURM_ARRAY_TASK_ID" --jobs 1\n`,
  );
  expect(JOB_FILES.slurm(JOB)).toContain('#   npx gpn-cli merge out/part-* -o out\n');
  expect(JOB_FILES.kubernetes(JOB)).toContain('completions: 3\n');
  expect(JOB_FILES.kubernetes(JOB)).toContain('- "out/part-$(JOB_COMPLETION_INDEX)"\n');
});

test.each(['out', '/data/out'])(
  'the manifest for Kubernetes is valid by its schema, for %s',
  (out) => {
    const job = parse(JOB_FILES.kubernetes({ ...JOB, out }));
    new KubernetesJob(job).validate();
    const [container] = job.spec.template.spec.containers;
    expect(container.args.slice(0, 4)).toEqual(['npx', 'gpn-cli', 'sweep', "it's.yml"]);
    expect(container.args.slice(-2)).toEqual(['--shard', '3']);
    const wrong = structuredClone(job);
    wrong.spec.completions = 'three';
    expect(() => new KubernetesJob(wrong).validate()).toThrow();
  },
);

test('a manifest is a list with any ends of lines, a folder, or a pattern', async () => {
  writeFileSync(
    'list.txt',
    '\ufeffpictures/0.png\r\n\r\n  \npictures/1.png\nbroken.png\rpictures/0.png',
  );
  expect(await picturesOf('list.txt')).toEqual([
    'pictures/0.png',
    'pictures/1.png',
    'broken.png',
    'pictures/0.png',
  ]);
  const all = [0, 1, 2, 3].map((k) => `pictures/${k}.png`);
  expect(await picturesOf('pictures')).toEqual([
    ...all,
    'pictures/more/4.png',
    'pictures/more/5.png',
  ]);
  expect(await picturesOf('pictures/*.png')).toEqual(all);
  expect(await picturesOf('pictures/**/*.png')).toHaveLength(6);
  // Files that are not named as pictures count by their contents, others by their names.
  mkdirSync('mixed');
  writeFileSync('mixed/notes.txt', 'no picture');
  writeFileSync('mixed/broken.png', 'no picture either');
  copyFileSync('pictures/0.png', 'mixed/scan');
  expect(await picturesOf('mixed')).toEqual(['mixed/broken.png', 'mixed/scan']);
  mkdirSync('hollow');
  await expect(picturesOf('hollow')).rejects.toThrow('hollow (--manifest) has no images (PNG,');
  writeFileSync('empty.txt', '\n\r\n');
  await expect(picturesOf('empty.txt')).rejects.toThrow('names no pictures');
  await expect(picturesOf('nothing/*.png')).rejects.toThrow('no file matches it');
  await expect(picturesOf('pictures/0.png')).rejects.toThrow('is not a text');
});

test('rows of pictures have the scores of the runtime, and broken ones their reason', async () => {
  const pictures = ['pictures/2.png', 'broken.png', 'pictures/0.png', 'gone.png', 'pictures/2.png'];
  for (const source of [DETECTOR, 'dcgan-mnist-discriminator']) {
    const plan = await scorePlan(source, pictures, {}, source);
    await computeAll(source, plan);
    const summary = await joinShards([source], source, 'ndjson');
    expect(summary).toMatchObject({ rows: 5, items: 5, shards: 3, unreadable: 2 });
    const rows = rowsOf<ScoreRow>(join(source, 'results.ndjson'));
    expect(rows.map(({ index, image }) => [index, image])).toEqual(pictures.map((p, k) => [k, p]));
    expect(rows.every(({ model }) => model === plan.model.sha256)).toBe(true);
    expect(rows[1]?.error).toBe('broken.png is not a picture.');
    expect(rows[3]?.error).toBe('gone.png cannot be read: no such file or folder.');
    const discriminator = await Discriminator.load(source, { threads: 1 });
    for (const k of [0, 2, 4]) {
      const picture = await readPicture(pictures[k] as string);
      const { values } = discriminator.info.fragment
        ? await discriminator.scoreMap(picture)
        : await discriminator.scorePictures([picture]);
      const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(rows[k]?.score).toBeCloseTo(expected, 4);
    }
    await discriminator.dispose();
  }
});

test('rows of fragments are the windows of the map, as NDJSON and as Parquet', async () => {
  const pictures = ['pictures/0.png', 'broken.png', 'pictures/1.png'];
  const plan = await scorePlan('fragments', pictures, { fragments: true, stride: 3 });
  await computeAll('fragments', plan);
  await joinShards(['fragments'], 'fragments', 'ndjson');
  const rows = rowsOf<ScoreRow>('fragments/results.ndjson');
  const discriminator = await Discriminator.load(DETECTOR, { threads: 1 });
  const map = await discriminator.scoreMap(await readPicture('pictures/1.png'), { stride: 3 });
  const p = await discriminator.pValues(map);
  await discriminator.dispose();
  const own = rows.filter(({ index }) => index === 2);
  expect(own).toHaveLength(map.rows * map.columns);
  expect(own.map(({ score }) => score)).toEqual([...map.values]);
  expect(own.map((row) => row.p)).toEqual([...p]);
  const { x, y, width, height } = map.first;
  expect(own[map.columns + 2]).toMatchObject({ x: x + 6, y: y + 3, width, height });

  const { file } = await joinShards(['fragments'], 'fragments', 'parquet');
  const read = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
  const plain = read.map((row) =>
    Object.fromEntries(
      Object.entries(row).flatMap(([key, value]) =>
        value === null || value === undefined
          ? []
          : [[key, typeof value === 'bigint' ? Number(value) : value]],
      ),
    ),
  );
  expect(plain).toEqual(rows);
});

test('images are those of the seed, whatever their shard, with their hashes', async () => {
  const { model } = await plannedModel(GENERATOR, ['generator']);
  const plan: Plan = {
    ...{ version: 1, kind: 'sample', model, items: 150, shardSize: 64, seed: 9, device: 'cpu' },
  };
  await preparePlan('images', plan);
  await computeAll('images', plan);
  await joinShards(['images'], 'images', 'ndjson');
  const rows = rowsOf<SampleRow>('images/results.ndjson');
  const generator = await Generator.load(GENERATOR, { threads: 1 });
  const whole = await generator.sample({ count: 150, seed: 9 });
  await generator.dispose();
  const pngs = await whole.toPNGs();
  expect(rows.map(({ sha256 }) => sha256)).toEqual(await Promise.all(pngs.map(sha256)));
  expect(rows[149]).toMatchObject({ index: 149, seed: 9, label: 9, file: '149.png' });
  const files = parseTar(readFileSync(`images/${rows[149]?.tar}`));
  const own = files.find(({ name }) => name === '149.png');
  expect(Buffer.from(own?.data ?? [])).toEqual(Buffer.from(pngs[149] as Uint8Array));
  expect(files.find(({ name }) => name === '149.cls')?.text).toBe('9');
});

test('parts on machines that share nothing are joined to the bytes of one', async () => {
  const pictures = await picturesOf('pictures');
  const plan = await scorePlan('one', pictures);
  await computeAll('one', plan);
  await joinShards(['one'], 'one', 'ndjson');
  for (const index of [0, 1]) {
    await scorePlan(`of-${index}`, pictures);
    const computer = createComputer();
    for (const shard of ofPart([0, 1, 2], { index, count: 2, from: '' })) {
      await computer.compute(`of-${index}`, shard, () => {});
    }
  }
  await joinShards(['of-1', 'of-0'], 'joined', 'ndjson');
  expect(readFileSync('joined/results.ndjson')).toEqual(readFileSync('one/results.ndjson'));

  await expect(joinShards(['of-0'], 'joined', 'ndjson')).rejects.toThrow(
    '1 of 3 shards are missing: 000001',
  );
  await expect(joinShards(['of-0', 'of-1', 'one'], 'x', 'ndjson')).rejects.toThrow(
    'is there twice, in of-0 and in one',
  );
  await scorePlan('other', pictures, { threshold: 0.5 });
  await expect(joinShards(['of-0', 'other'], 'x', 'ndjson')).rejects.toThrow('another --threshold');
  await scorePlan('model', pictures, {}, 'gpn-mnist-discriminator');
  await expect(joinShards(['of-0', 'model'], 'x', 'ndjson')).rejects.toThrow('another model');
  await expect(joinShards(['pictures'], 'x', 'ndjson')).rejects.toThrow('has no plan.json');
});

test('a shard that is not whole, or not by the model, is found when it is joined', async () => {
  const plan = await scorePlan('torn', await picturesOf('pictures'));
  await computeAll('torn', plan);
  const path = rowsFile('torn', '000001');
  const text = readFileSync(path, 'utf8');
  const lines = text.trimEnd().split('\n');
  const broken: [string, string][] = [
    [text.slice(0, -5), 'is not whole'],
    [`${lines[0]}\n`, 'the row of item 3 is missing'],
    [`${lines[1]}\n${lines[0]}\n`, 'the row of item 3 is where 2 should be'],
    [`${lines[0]}\n${lines[0]}\n${lines[1]}\n`, 'the row of item 2 is where 3 should be'],
    [text.replace(plan.model.sha256, 'f'.repeat(64)), 'the row of item 2 is by another model'],
  ];
  for (const [wrong, sentence] of broken) {
    writeFileSync(path, wrong);
    await expect(joinShards(['torn'], 'torn', 'ndjson')).rejects.toThrow(sentence);
  }
});

test('a folder with other results, another model or another list is refused', async () => {
  const pictures = ['pictures/0.png'];
  await scorePlan('taken', pictures);
  await expect(scorePlan('taken', ['pictures/1.png'])).rejects.toThrow(
    'taken has the results of another list of pictures: give another --out',
  );
  await expect(
    scorePlan('taken', pictures, { rect: { x: 0, y: 0, width: 9, height: 9 } }),
  ).rejects.toThrow('another --rect');
  writeFileSync('taken/pictures.ndjson', '"pictures/3.png"\n');
  await expect(createComputer().compute('taken', 0, () => {})).rejects.toThrow(
    'not the list of the plan',
  );
  writeFileSync(
    'model.onnx',
    readFileSync(new URL(`../../models/pretrained/${DETECTOR}.onnx`, import.meta.url)),
  );
  await scorePlan('changed', pictures, {}, 'model.onnx');
  writeFileSync(
    'model.onnx',
    readFileSync(new URL('../../models/pretrained/gpn-mnist-discriminator.onnx', import.meta.url)),
  );
  await expect(createComputer().compute('changed', 0, () => {})).rejects.toThrow(
    'is not the file that was asked for',
  );
  await expect(createComputer().compute(at('nothing'), 0, () => {})).rejects.toThrow(
    'has no plan.json',
  );
});

test('the time left is told from the pace of this process alone', () => {
  let now = 0;
  const lines: string[] = [];
  const stream = { isTTY: true, write: (text: string) => lines.push(text) };
  const progress = progressOf(stream as unknown as NodeJS.WriteStream, 1000, 500, () => now);
  progress.draw();
  expect(lines.at(-1)).toContain('50% · 500/1,000 · ETA ?');
  now = 10;
  progress.add(100);
  progress.draw();
  expect(lines.at(-1)).toContain('60% · 600/1,000 · 10/s · ETA 0:40');
  progress.stop();
});
