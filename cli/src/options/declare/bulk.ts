/** The options of bulk work, which `score` and `sample` share. */
import { amount, shard, wholeNumber } from './parsers.js';
import { choice, conflicting, parsed, text, withDefault } from './spec.js';

/** How tables of results are written. */
export const format = choice(
  '--format <format>',
  'in bulk: results as NDJSON, a line of JSON for each row (default), or as Parquet',
  ['ndjson', 'parquet'],
);

/** Items of a shard, unless told: what takes minutes, and no more files than folders like. */
export const SHARD_SIZE = { score: 256, sample: 1024 };

export const bulk = (size: number) => ({
  shardSize: parsed(
    '--shard-size <n>',
    `in bulk: pictures in a shard, which is done as a whole or not at all (default: ${size})`,
    amount,
  ),
  jobs: parsed(
    '--jobs <n>',
    'in bulk: processes at the same time, with one thread each (default: as many as processors)',
    wholeNumber(1, 1024),
  ),
  shard: parsed(
    '--shard <i/n>',
    'in bulk: only part i of n, from 0; n alone takes i from JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID',
    shard,
  ),
  queue: conflicting(
    text(
      '--queue <url>',
      'in bulk: give the shards to the machines that run gpn-cli work, by a Redis server such as redis://host:6379',
    ),
    'shard',
    'print',
  ),
  format,
  print: choice('--print <engine>', 'in bulk: print the job file for a cluster, and do nothing', [
    'slurm',
    'kubernetes',
  ]),
  parts: withDefault(
    parsed('--parts <n>', 'with --print: in how many parts', wholeNumber(1, 10_000)),
    4,
  ),
});

export type BulkOptions = ReturnType<typeof bulk>;
