/** The queue of the server, in front of a worker that ends its runs when the test says so. */
import { expect, test } from 'vitest';
import { Busy, Dispatcher, Gone, Late, type Limits, Refused } from '../../src/serve/dispatch.js';
import type { Job, Result, Worker } from '../../src/serve/jobs.js';

const LIMITS: Limits = { queue: 10, batch: 4, delay: 0, timeout: 600_000 };

/** A worker whose runs wait for `done`; the answer to a job is its seed. */
function slowWorker() {
  const runs: { seeds: number[]; done(result?: Result): void }[] = [];
  const worker: Worker = {
    models: [],
    run: (_, jobs) =>
      new Promise((resolve) => {
        const seeds = jobs.map((job) => (job.kind === 'draw' ? job.seed : -1));
        const answer = (seed: number): Result => ({
          answer: { type: 'seed', body: Uint8Array.of(seed) },
        });
        runs.push({
          seeds,
          done: (result) => resolve(seeds.map((seed) => result ?? answer(seed))),
        });
      }),
    close: async () => {},
  };
  return { worker, runs };
}

const job = (seed: number): Job => ({ kind: 'draw', seed });
const task = (seed: number, items = 1, key: string | undefined = 'k', model = 'm') => ({
  ...{ model, items, key },
  job: job(seed),
});
/** Settled promises and timers of 0 ms are done after this. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

test('requests that arrive together share a run at once, one by one those that cannot', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], LIMITS);
  for (const seed of [1, 2, 3]) void dispatcher.submit(task(seed));
  expect(runs).toEqual([]);
  await turn();
  expect(runs.map(({ seeds }) => seeds)).toEqual([[1, 2, 3]]);
  const alone = slowWorker();
  const second = new Dispatcher([alone.worker], LIMITS);
  for (const seed of [1, 2]) void second.submit({ ...task(seed), key: undefined });
  expect(alone.runs.map(({ seeds }) => seeds)).toEqual([[1]]);
});

test('requests that wait for the same worker share its next run, and each gets its own answer', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], LIMITS);
  const first = dispatcher.submit(task(1));
  await turn();
  const answers = [first, ...[2, 3, 4, 5, 6].map((seed) => dispatcher.submit(task(seed)))];
  runs[0]?.done();
  await turn();
  runs[1]?.done();
  await turn();
  runs[2]?.done();
  const seeds = (await Promise.all(answers)).map(({ body }) => body[0]);
  expect(runs.map(({ seeds }) => seeds)).toEqual([[1], [2, 3, 4, 5], [6]]);
  expect(seeds).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a run holds as many items as the limit, of one key and one model, and passes over what does not fit', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], LIMITS);
  const tasks = [
    task(1),
    ...[task(2, 2), task(3, 3), task(4, 2), task(5, 1, 'other'), task(6, 1, 'k2', 'n')],
    { ...task(7), key: undefined },
  ];
  for (const each of tasks) {
    void dispatcher.submit(each);
    if (runs.length === 0) await turn();
  }
  for (let k = 0; k < 6; k++) {
    await turn();
    runs[k]?.done();
  }
  await turn();
  expect(runs.map(({ seeds }) => seeds)).toEqual([[1], [2, 4], [3], [5], [6], [7]]);
  expect(dispatcher.waiting).toBe(0);
});

test('a request waits for others as long as the delay says, and no longer', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], { ...LIMITS, delay: 200 });
  void dispatcher.submit(task(1));
  void dispatcher.submit(task(2));
  await turn();
  expect(runs).toEqual([]);
  await expect.poll(() => runs.map(({ seeds }) => seeds)).toEqual([[1, 2]]);
});

test('a full run does not wait', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], { ...LIMITS, delay: 600_000 });
  for (const seed of [1, 2, 3, 4]) void dispatcher.submit(task(seed));
  await turn();
  expect(runs.map(({ seeds }) => seeds)).toEqual([[1, 2, 3, 4]]);
});

test('without room a request is refused at once; a large one is taken by an empty queue', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], LIMITS);
  const first = dispatcher.submit(task(1, 100));
  await turn();
  const waiting = [2, 3].map((seed) => dispatcher.submit(task(seed, 5)));
  await expect(dispatcher.submit(task(4))).rejects.toThrow(Busy);
  await expect(dispatcher.submit(task(4))).rejects.toThrow(/The queue is full: try again in \d+ s/);
  for (let k = 0; k < 3; k++) {
    runs[k]?.done();
    await turn();
  }
  expect((await Promise.all([first, ...waiting])).map(({ body }) => body[0])).toEqual([1, 2, 3]);
});

test('a request whose client has gone leaves the queue, and one that runs finds nobody', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], LIMITS);
  const leaves: (() => void)[] = [];
  const running = dispatcher.submit(task(1), (leave) => leaves.push(leave));
  await turn();
  const waiting = dispatcher.submit(task(2), (leave) => leaves.push(leave));
  const staying = dispatcher.submit(task(3));
  expect(dispatcher.waiting).toBe(2);
  for (const leave of leaves) leave();
  await expect(running).rejects.toThrow(Gone);
  await expect(waiting).rejects.toThrow(Gone);
  expect(dispatcher.waiting).toBe(1);
  runs[0]?.done();
  await turn();
  expect(runs.map(({ seeds }) => seeds)).toEqual([[1], [3]]);
  runs[1]?.done();
  expect((await staying).body[0]).toBe(3);
  await expect(
    dispatcher.submit(task(4), (leave) => leave()),
    'gone before it came',
  ).rejects.toThrow(Gone);
  expect(dispatcher.waiting).toBe(0);
  expect(runs.length).toBe(2);
});

test('a request that is not answered in its time, or in that of the limit, is given up', async () => {
  const { worker } = slowWorker();
  const dispatcher = new Dispatcher([worker], { ...LIMITS, timeout: 60 });
  const running = dispatcher.submit(task(1));
  await turn();
  await expect(dispatcher.submit({ ...task(2), timeout: 20 })).rejects.toThrow(/within 0.02 s/);
  await expect(running).rejects.toThrow(Late);
  expect(dispatcher.waiting).toBe(0);
});

test('a job that is refused, a job that fails and a worker that is lost are told apart', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], LIMITS);
  const refused = dispatcher.submit(task(1));
  await turn();
  runs[0]?.done({ message: 'No.', user: true });
  await expect(refused).rejects.toThrow(Refused);
  const failed = dispatcher.submit(task(2));
  await turn();
  runs[1]?.done({ message: 'broken', user: false });
  await expect(failed).rejects.toThrow('broken');
  const lost = new Dispatcher(
    [{ ...worker, run: () => Promise.reject(new Error('lost')) }],
    LIMITS,
  );
  await expect(lost.submit(task(1))).rejects.toThrow('lost');
  await expect(lost.submit(task(2))).rejects.toThrow('lost');
});

test('draining waits for what runs and for what waits, without the delay', async () => {
  const { worker, runs } = slowWorker();
  const dispatcher = new Dispatcher([worker], { ...LIMITS, delay: 600_000 });
  const answers = [1, 2].map((seed) => dispatcher.submit(task(seed)));
  let drained = false;
  const draining = dispatcher.drain().then(() => {
    drained = true;
  });
  await turn();
  expect([runs.length, drained]).toEqual([1, false]);
  runs[0]?.done();
  await Promise.all([...answers, draining]);
});
