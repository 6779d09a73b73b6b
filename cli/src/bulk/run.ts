/** Bulk work from its start to its results: here, in part, by a queue, or as a job file. */
import { EventEmitter, once } from 'node:events';
import { basename } from 'node:path';
import { processors, UserError } from '@gpn/runtime';
import { FOUND, RowsFailed } from '../errors.js';
import type { BulkOptions } from '../options/declare/bulk.js';
import type { OptionsOf } from '../options/declare/spec.js';
import { print, printAside } from '../terminal/print.js';
import { JOB_FILES, jobName } from './job-files.js';
import { doneIn, type Format, joinAsMade, joinShards, type Summary } from './join.js';
import { ofPart, type Part, partOf } from './part.js';
import { itemsOf, type Plan, preparePlan, shardNames } from './plan.js';
import { createPool } from './pool.js';
import { progressOf } from './progress.js';
import type { Counts } from './rows.js';

type Options = Partial<OptionsOf<{ options: BulkOptions }>> & {
  readonly json?: boolean | undefined;
};

/** What a command asks for. */
export interface Bulk {
  readonly plan: Plan;
  /** The text of the list of pictures. */
  readonly pictures?: string;
  readonly out: string;
  /** The words of the command that make this plan, for a job file. */
  readonly words: readonly string[];
}

/** Does what is asked for, and says what became of it. */
export async function runBulk(bulk: Bulk, options: Options): Promise<typeof FOUND | undefined> {
  const { plan, pictures, out } = bulk;
  const { format = 'ndjson' } = options;
  if (options.print) {
    printJob(bulk, options);
    return undefined;
  }
  const part = partOf(options.shard, process.env);
  if (part && options.queue) {
    throw new UserError('--queue gives its shards to any number of workers: leave --shard out.');
  }
  const prepare = () => preparePlan(out, plan, pictures);
  const jobs = options.jobs ?? processors();
  if (part) {
    await prepare();
    await computeHere(out, plan, part, jobs);
    printAside(`Join the parts, when all are done: gpn-cli merge ${out} -o ${out}\n`);
    return undefined;
  }
  let summary: Summary;
  if (options.queue) {
    const { produce } = await import('./queue/produce.js');
    await produce(options.queue, out, plan, prepare);
    summary = await joinShards([out], out, format);
  } else {
    await prepare();
    summary = await computeAndJoin(out, plan, jobs, format);
  }
  report(summary, options.json);
  return summary.anomalous ? FOUND : undefined;
}

/** Joins the shards while others are computed, so that the end need not wait for it. */
async function computeAndJoin(
  out: string,
  plan: Plan,
  jobs: number,
  format: Format,
): Promise<Summary> {
  const done = new Map<string, Counts | undefined>();
  const news = new EventEmitter();
  const stop = new AbortController();
  const joining = joinAsMade(plan, out, format, async (name) => {
    if (!done.has(name)) await once(news, name, { signal: stop.signal });
    return done.get(name);
  });
  joining.catch(() => {}); // what it meets is told once nothing is left to be computed
  try {
    await computeHere(out, plan, undefined, jobs, (name, counts) => {
      done.set(name, counts);
      news.emit(name);
    });
  } catch (error) {
    stop.abort();
    await joining.catch(() => {}); // it removes what it has written
    throw error;
  }
  return joining;
}

/** Prints what was made. */
export function report(summary: Summary, json: boolean | undefined): void {
  const { file, rows, items, shards, unreadable, anomalous } = summary;
  const count = (n: number) => n.toLocaleString('en');
  const counted = (n: number, what: string) => `${count(n)} ${what}${n === 1 ? '' : 's'}`;
  const notes = [
    ...(anomalous === undefined ? [] : [`${count(anomalous)} anomalous`]),
    ...(unreadable > 0 ? [`${count(unreadable)} could not be scored: their rows say why`] : []),
  ];
  print(
    json
      ? `${JSON.stringify(summary)}\n`
      : `${file}: ${counted(rows, 'row')} of ${counted(items, 'picture')} in ${counted(shards, 'shard')}${notes.map((note) => `; ${note}`).join('')}.\n`,
  );
}

function printJob({ plan, out, words }: Bulk, options: Options): void {
  const { parts = 4, format = 'ndjson' } = options;
  const merge = ['merge', out, '-o', out, ...(format === 'ndjson' ? [] : ['--format', format])];
  print(
    JOB_FILES[options.print as keyof typeof JOB_FILES]({
      name: jobName(`${plan.kind} ${basename(out)}`),
      parts,
      threads: options.jobs ?? 1,
      words: [...words, '--out', out, '--jobs', `${options.jobs ?? 1}`],
      merge,
      needs: plan.kind === 'score' ? 'the model and the pictures' : 'the model',
      out,
    }),
  );
}

/** How often a shard whose process ends without a word is tried. */
const TRIES = 3;

/**
 * Computes what is not done yet of a part, some shards at a time.
 *
 * @param tell gets the name of each shard that is there, and what it holds unless it was there before
 */
async function computeHere(
  out: string,
  plan: Plan,
  part: Part | undefined,
  jobs: number,
  tell: (name: string, counts?: Counts) => void = () => {},
): Promise<void> {
  const names = shardNames(plan);
  const own = ofPart([...names.keys()], part);
  const done = new Set(await doneIn(out));
  for (const name of done) tell(name);
  const queue = own.filter((shard) => !done.has(names[shard] as string));
  const sizeOf = (shard: number): number => {
    const [first, end] = itemsOf(plan, shard);
    return end - first;
  };
  const sum = (shards: readonly number[]) => shards.reduce((all, k) => all + sizeOf(k), 0);
  if (part) {
    printAside(
      `Part ${part.index} of ${part.count}, by ${part.from}: ${own.length} of ${names.length} shards.\n`,
    );
  }
  if (queue.length < own.length) {
    printAside(`${own.length - queue.length} of ${own.length} shards are done already.\n`);
  }
  const pool = createPool(Math.min(jobs, Math.max(1, queue.length)));
  const progress = progressOf(process.stderr, sum(own), sum(own) - sum(queue));
  const task = { base: process.cwd(), folder: out };
  let isStopped = false; // by the failure of another shard
  const work = async (): Promise<void> => {
    for (let shard = queue.shift(); shard !== undefined && !isStopped; shard = queue.shift()) {
      for (let attempt = 1; ; attempt++) {
        let items = 0;
        try {
          const counts = await pool.run({ ...task, shard }, (more) => {
            items += more;
            progress.add(more);
          });
          tell(names[shard] as string, counts);
          break;
        } catch (error) {
          progress.add(-items);
          if (isStopped) return;
          if (error instanceof UserError) throw error;
          const name = names[shard];
          if (attempt === TRIES) {
            throw new RowsFailed(
              `Shard ${name} was tried ${TRIES} times, and ${(error as Error).message}; the same command goes on from here.`,
            );
          }
          printAside(`Shard ${name} is tried again: ${(error as Error).message}.\n`);
        }
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    isStopped = true;
    progress.stop();
    pool.close();
  }
}
