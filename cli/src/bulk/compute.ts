/** Computes single shards: the rows of one, and its archive of images if it has one. */
import { join } from 'node:path';
import {
  Discriminator,
  Generator,
  type Images,
  type ModelInfo,
  type Picture,
  sha256,
  stream,
  UserError,
} from '@gpn/runtime';
import { writeFileAtomic } from '@gpn/training/atomic';
import { type Rated, rated, scored } from '../evaluation/scored.js';
import { kindOf } from '../files.js';
import { readPicture } from '../pictures.js';
import {
  itemsOf,
  type Plan,
  readPictures,
  readPlan,
  rowsFile,
  type SamplePlan,
  type ScorePlan,
  shardName,
} from './plan.js';
import { type Counts, countsOf, ndjson, type Row, type SampleRow, type ScoreRow } from './rows.js';

/** Called with the number of items done since the last call. */
type Tell = (items: number) => void;

/** What computes the shards of one plan. */
interface Worker {
  rows(shard: number, tell: Tell): Promise<readonly Row[]>;
  dispose(): Promise<void>;
}

/**
 * One thread for each shard: sums are rounded in one order then, and several shards keep several
 * processors busier than several threads one shard.
 */
const loadOptions = ({ model, device }: Plan) => ({ device, threads: 1, digest: model.sha256 });

/** Opens what computes the shards of the plan in a folder. */
const openWorker = (folder: string, plan: Plan): Promise<Worker> =>
  plan.kind === 'score' ? scoring(folder, plan) : drawing(folder, plan);

/** Pictures, and pixels of them, that are in memory at once to be scored in one batch. */
const BATCH = { pictures: 64, pixels: 2 ** 24 };

async function scoring(folder: string, plan: ScorePlan): Promise<Worker> {
  const pictures = await readPictures(folder, plan);
  const discriminator = await Discriminator.load(plan.model.source, loadOptions(plan));
  const { rect, stride, threshold, label } = plan;
  const how = { rect, stride, threshold, labels: label === undefined ? {} : { labels: label } };
  const isWhole = discriminator.info.fragment === undefined && !plan.fragments && !rect;

  const rowsOf = async (index: number, picture: Picture): Promise<ScoreRow[]> => {
    const image = pictures[index] as string;
    if (plan.fragments) return fragmentRows(discriminator, plan, index, image, picture);
    const { rated } = await scored(discriminator, picture, how);
    return [scoreRow(plan, index, image, rated)];
  };
  const together = async (batch: readonly [number, Picture][]): Promise<ScoreRow[]> => {
    if (batch.length === 0) return [];
    const seen = batch.map(([, picture]) => picture);
    const { values } = await discriminator.scorePictures(seen, how.labels);
    const found = await rated(discriminator, values, threshold);
    return batch.map(([index], k) =>
      scoreRow(plan, index, pictures[index] as string, found[k] as Rated),
    );
  };

  return {
    dispose: () => discriminator.dispose(),
    async rows(shard, tell) {
      const [first, end] = itemsOf(plan, shard);
      const rows: ScoreRow[] = [];
      let batch: [number, Picture][] = [];
      const pixels = () => batch.reduce((sum, [, { width, height }]) => sum + width * height, 0);
      const read = (index: number) => attempt(() => readPicture(pictures[index] as string));
      // The next picture is decoded while one is scored.
      let next = read(first);
      for (let index = first; index < end; index++) {
        const picture = await next;
        if (index + 1 < end) next = read(index + 1);
        const image = pictures[index] as string;
        const failed = (error: string) =>
          rows.push({ index, image, error, model: plan.model.sha256 });
        if (typeof picture === 'string') failed(picture);
        else if (isWhole) batch.push([index, picture]);
        else {
          const found = await attempt(() => rowsOf(index, picture));
          if (typeof found === 'string') failed(found);
          else rows.push(...found);
        }
        if (index + 1 === end || batch.length === BATCH.pictures || pixels() >= BATCH.pixels) {
          rows.push(...(await together(batch)));
          batch = [];
        }
        tell(1);
      }
      return rows.sort((a, b) => a.index - b.index); // stable: fragments keep their order
    },
  };
}

/** What a function returns, or the sentence of the user's mistake that it met. */
async function attempt<T>(make: () => Promise<T>): Promise<T | string> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** JSON has no infinities and no NaN. */
const finite = (score: number): number | null => (Number.isFinite(score) ? score : null);

const scoreRow = (
  plan: Plan,
  index: number,
  image: string,
  { score, ...rest }: Rated,
): ScoreRow => ({
  index,
  image,
  score: finite(score),
  ...rest,
  model: plan.model.sha256,
});

/** A row for each window of a map, from the top left to the bottom right. */
async function fragmentRows(
  discriminator: Discriminator,
  { stride, threshold, label, model }: ScorePlan,
  index: number,
  image: string,
  picture: Picture,
): Promise<ScoreRow[]> {
  const options = { ...(stride && { stride }), ...(label !== undefined && { labels: label }) };
  const map = await discriminator.scoreMap(picture, options);
  const found = await rated(discriminator, map.values, threshold);
  return found.map(({ score, ...rest }, k) => ({
    index,
    image,
    x: map.first.x + (k % map.columns) * map.stride,
    y: map.first.y + Math.floor(k / map.columns) * map.stride,
    width: map.first.width,
    height: map.first.height,
    score: finite(score),
    ...rest,
    model: model.sha256,
  }));
}

/** Images in one run of the generator. */
const RUN = 64;

async function drawing(folder: string, plan: SamplePlan): Promise<Worker> {
  const generator = await Generator.load(plan.model.source, loadOptions(plan));
  const { createTar } = await import('nanotar');
  const { info } = generator;
  const digits = String(plan.items - 1).length;
  return {
    dispose: () => generator.dispose(),
    async rows(shard, tell) {
      const [first, end] = itemsOf(plan, shard);
      const tar = `shards/${shardName(shard)}.tar`;
      const rows: SampleRow[] = [];
      const files: { name: string; data: Uint8Array }[] = [];
      for (let at = first; at < end; at += RUN) {
        const count = Math.min(RUN, end - at);
        const images = await drawn(generator, plan, at, count);
        for (const [k, data] of (await images.toPNGs()).entries()) {
          const index = at + k;
          const name = String(index).padStart(digits, '0');
          const label = plan.label ?? (info.condition && index % info.condition.classes);
          const common = { index, seed: plan.seed, ...(label !== undefined && { label }), tar };
          const file = `${name}.png`;
          files.push({ name: file, data });
          // WebDataset's readers take the class from a file of this ending.
          if (label !== undefined) {
            files.push({ name: `${name}.cls`, data: new TextEncoder().encode(`${label}`) });
          }
          rows.push({ ...common, file, sha256: await sha256(data), model: plan.model.sha256 });
        }
        tell(count);
      }
      // A time of its own would make every run another file.
      await writeFileAtomic(join(folder, tar), createTar(files, { attrs: { mtime: 0 } }));
      return rows;
    },
  };
}

/** Images of a seed, from a number on: those that `sample` draws if it draws all of them. */
function drawn(
  generator: Generator,
  { seed, label }: SamplePlan,
  first: number,
  count: number,
): Promise<Images> {
  const { latent, codes, condition } = generator.info as ModelInfo & {
    latent: NonNullable<ModelInfo['latent']>;
  };
  const from = (name: string, size: number) => {
    const numbers = stream(seed, name);
    numbers.position = first * size; // each number takes one word
    return numbers;
  };
  const { size, distribution } = latent;
  return generator.sample({
    count,
    latents: from('latents', size)[distribution](count * size),
    ...(codes && { codes: from('codes', codes.size).uniform(count * codes.size, ...codes.range) }),
    ...(condition && {
      labels: Array.from({ length: count }, (_, k) => label ?? (first + k) % condition.classes),
    }),
  });
}

/** Computes shards of any folders; it keeps the model of the last one open. */
export interface Computer {
  /**
   * Writes a shard, unless it is there.
   *
   * @param folder of the results, with a plan
   * @returns what the shard holds; undefined if it was there
   * @throws UserError if the folder has no plan, the model is missing or another one, or the shard cannot
   *   be written
   */
  compute(folder: string, shard: number, tell: Tell): Promise<Counts | undefined>;
}

export function createComputer(): Computer {
  let open: { key: string; worker: Worker } | undefined;
  const workerOf = async (folder: string, plan: Plan): Promise<Worker> => {
    const key = JSON.stringify([folder, plan]);
    if (open?.key === key) return open.worker;
    const before = open;
    open = undefined;
    await before?.worker.dispose();
    const worker = await openWorker(folder, plan);
    open = { key, worker };
    return worker;
  };
  return {
    async compute(folder, shard, tell) {
      const plan = await readPlan(folder);
      if (!plan) throw new UserError(`${folder} has no plan.json: was it removed?`);
      const path = rowsFile(folder, shardName(shard));
      const [first, end] = itemsOf(plan, shard);
      if (await kindOf(path)) {
        tell(end - first);
        return undefined;
      }
      const rows = await (await workerOf(folder, plan)).rows(shard, tell);
      await writeFileAtomic(path, ndjson(rows));
      return countsOf(rows);
    },
  };
}
