/** What a thread of the server does: it opens models and runs jobs. */
import {
  Discriminator,
  Generator,
  generatorFeeds,
  Images,
  loadModel,
  type Model,
  product,
  readModelInfo,
  reasonOf,
  sha256,
  stream,
  type TensorData,
  UserError,
} from '@gpn/runtime';
import { encodePNG } from '@gpn/runtime/write';
import { drawingOf } from './drawing.js';
import type { Answer, Facts, Job, Kind, Named, Result, Running, Worker } from './jobs.js';
import { mapOf, scoresOf } from './scores.js';
import { inferenceAnswer } from './tensors.js';

type Tensors = Record<string, TensorData>;
type Floats = TensorData<'float32'>;

/** A job as rows of the network's inputs, and what becomes of the rows of its outputs. */
interface Rows {
  readonly count: number;
  readonly feeds: Tensors;
  readonly fetch: readonly string[];
  answer(outputs: Tensors): Answer | Promise<Answer>;
}

interface Loaded extends Facts {
  readonly model: Model;
}

/** How jobs of each kind become rows. */
const ROWS: { readonly [K in 'infer' | 'draw']: (loaded: Loaded, job: Job<K>) => Rows } = {
  infer: ({ name }, job) => ({
    count: job.inputs[0]?.shape[0] as number,
    feeds: Object.fromEntries(
      job.inputs.map(({ name, shape, data }) => [name, { dtype: 'float32', shape, data }]),
    ),
    fetch: job.outputs.map(({ name }) => name),
    answer: (outputs) => inferenceAnswer(name, job, outputs),
  }),
  draw: ({ info }, job) => {
    const { inputs, columns } = drawingOf(info, job);
    const count = inputs.count ?? DRAWN;
    const feeds = generatorFeeds(info, count, inputs).map(({ name, shape, data }) => {
      const rows = typeof data === 'function' ? data(0, count) : data;
      return [name, { dtype: 'float32', shape: [count, ...shape], data: rows }] as const;
    });
    return {
      count,
      feeds: Object.fromEntries(feeds),
      fetch: [info.output],
      answer: async (outputs) => {
        const { height, width, channels, range } = info.image;
        const { data } = outputs[info.output] as Floats;
        const images = new Images(count, height, width, channels, range, data);
        const grid = images.toGrid({ ...(columns && { columns }) });
        // As `toPNG` does, which imports the encoder each time: that takes as long as a tenth of the encoding.
        const body = await encodePNG(grid.width, grid.height, grid.channels, grid.pixels);
        return { type: 'image/png', body };
      },
    };
  },
};

/** Images of a generator without classes if a request does not say how many, as `gpn-cli sample` draws. */
export const DRAWN = 64;

/** Opens models and gives what runs their jobs. */
export async function openModels(models: readonly Named[], running: Running): Promise<Worker> {
  const loaded = new Map<string, Loaded>();
  for (const named of models) loaded.set(named.name, await open(named, running));
  return {
    models: [...loaded.values()].map(({ model, ...facts }) => facts),
    run: (name, jobs) => run(loaded.get(name) as Loaded, jobs, running),
    close: async () => {
      await Promise.all([...loaded.values()].map(({ model }) => model.dispose()));
    },
  };
}

async function open({ name, bytes }: Named, { device, threads, batch }: Running): Promise<Loaded> {
  const info = readModelInfo(bytes, name);
  const scores = info.scores !== undefined && info.packing === undefined;
  const load =
    info.kind === 'generator'
      ? Generator.load.bind(Generator)
      : scores
        ? Discriminator.load.bind(Discriminator)
        : loadModel;
  const model = await load(bytes, { device, threads });
  const hash = await sha256(bytes);
  const { inputs, outputs } = model;
  const batches = batch > 1 && (await isSameInBatches(model, batch));
  return { ...{ name, hash, info, inputs, outputs, batches, model }, device: model.device };
}

/** Whether rows of batches come to the same bits as each of them alone. */
async function isSameInBatches(model: Model, most: number): Promise<boolean> {
  const { inputs, outputs, info } = model;
  // The first dimension of all is the batch.
  if (![...inputs, ...outputs].every(({ shape }) => typeof shape[0] === 'string')) return false;
  const { height, width } = info.image;
  const sides = [1, height, width, 1];
  const feeds = (from: number, count: number): Tensors =>
    Object.fromEntries(
      inputs.map(({ name, shape }) => {
        const row = shape
          .slice(1)
          .map((size, i) => (typeof size === 'number' ? size : (sides[i + 1] ?? 1)));
        const size = product(row);
        const data = stream(0, 'batches', name).normal(most * size);
        const rows = data.slice(from * size, (from + count) * size);
        return [name, { dtype: 'float32', shape: [count, ...row], data: rows }];
      }),
    );
  const last = most - 1;
  const alone = [await model.run(feeds(0, 1)), await model.run(feeds(last, 1))];
  const runs = [
    { from: 0, count: most },
    { from: 0, count: 2 },
    { from: Math.max(0, last - 2), count: Math.min(3, most) },
  ];
  for (const { from, count } of runs) {
    const batch = await model.run(feeds(from, count));
    const pairs = [0, last].flatMap((row, i) =>
      row >= from && row < from + count ? [[row - from, alone[i] as Tensors] as const] : [],
    );
    for (const [row, single] of pairs) {
      const part = rowsOf(batch, row, 1, count);
      if (!outputs.every(({ name }) => sameBits(part[name] as Floats, single[name] as Floats)))
        return false;
    }
  }
  return true;
}

const bytesOf = ({ data }: Floats) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const sameBits = (a: Floats, b: Floats): boolean => bytesOf(a).equals(bytesOf(b));

/** `count` rows of tensors of `total` rows. */
function rowsOf(tensors: Tensors, from: number, count: number, total: number): Tensors {
  if (count === total) return tensors;
  const part = ({ shape, data, dtype }: TensorData) => {
    const size = data.length / total;
    const rows = (data as Float32Array).subarray(from * size, (from + count) * size);
    return { dtype, shape: [count, ...shape.slice(1)], data: rows } as TensorData;
  };
  return Object.fromEntries(Object.entries(tensors).map(([name, each]) => [name, part(each)]));
}

/** Tensors one below the other. */
function stacked(parts: readonly Tensors[]): Tensors {
  const [first] = parts;
  if (parts.length === 1) return first as Tensors;
  return Object.fromEntries(
    Object.entries(first as Tensors).map(([name, { dtype, shape }]) => {
      const each = parts.map((part) => part[name] as Floats);
      const data = new Float32Array(each.reduce((sum, { data }) => sum + data.length, 0));
      let at = 0;
      for (const { data: rows } of each) {
        data.set(rows, at);
        at += rows.length;
      }
      const count = each.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
      return [name, { dtype, shape: [count, ...shape.slice(1)], data } as TensorData];
    }),
  );
}

const failure = (error: unknown): Result =>
  error instanceof UserError
    ? { message: error.message, user: true }
    : { message: reasonOf(error), user: false };

const tried = async (answer: () => Answer | Promise<Answer>): Promise<Result> => {
  try {
    return { answer: await answer() };
  } catch (error) {
    return failure(error);
  }
};

/** The jobs of a run have one kind and, but for the batch, one shape. */
function run(loaded: Loaded, jobs: readonly Job[], running: Running): Promise<readonly Result[]> {
  const kind = jobs[0]?.kind as Kind;
  if (kind === 'infer' || kind === 'draw') return runTogether(loaded, jobs, running);
  return Promise.all(jobs.map((job) => tried(() => picture(loaded, job, running))));
}

async function picture({ model, info }: Loaded, job: Job, { pixels }: Running): Promise<Answer> {
  if (!(model instanceof Discriminator))
    throw new UserError(`${info.name} does not score pictures.`);
  if (job.kind === 'score') return scoresOf(model, job, pixels);
  if (job.kind === 'map') return mapOf(model, job, pixels);
  throw new Error(`a ${job.kind} has rows`);
}

async function runTogether(
  loaded: Loaded,
  jobs: readonly Job[],
  { batch }: Running,
): Promise<readonly Result[]> {
  const results = new Map<Job, Result>();
  const ready: [Job, Rows][] = [];
  for (const job of jobs) {
    try {
      const toRows = ROWS[job.kind as 'draw'] as (loaded: Loaded, job: Job) => Rows;
      ready.push([job, toRows(loaded, job)]);
    } catch (error) {
      results.set(job, failure(error));
    }
  }
  if (ready.length > 0) {
    const rows = ready.map(([, each]) => each);
    const fetch = [...new Set(rows.flatMap((each) => each.fetch))];
    const count = rows.reduce((sum, each) => sum + each.count, 0);
    try {
      const feeds = stacked(rows.map((each) => each.feeds));
      const outputs = await inChunks(loaded, feeds, fetch, count, batch);
      let at = 0;
      await Promise.all(
        ready.map(async ([job, each]) => {
          const part = rowsOf(outputs, at, each.count, count);
          at += each.count;
          results.set(job, await tried(() => each.answer(part)));
        }),
      );
    } catch (error) {
      for (const [job] of ready) results.set(job, failure(error));
    }
  }
  return jobs.map((job) => results.get(job) as Result);
}

/** The outputs of any number of rows, in several runs if they are many and it makes no difference. */
async function inChunks(
  { model, batches, info }: Loaded,
  feeds: Tensors,
  fetch: readonly string[],
  count: number,
  batch: number,
): Promise<Tensors> {
  // Otherwise as a program would: the runtime draws so many at once, and tensors are one run.
  const most = batches ? batch : info.kind === 'generator' ? DRAWN : count;
  if (count <= most) return model.run(feeds, fetch);
  const chunks: Tensors[] = [];
  for (let at = 0; at < count; at += most) {
    chunks.push(await model.run(rowsOf(feeds, at, Math.min(most, count - at), count), fetch));
  }
  return stacked(chunks);
}
