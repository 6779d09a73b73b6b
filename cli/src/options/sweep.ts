import { format } from './declare/bulk.js';
import { amount, repeated, shard, wholeNumber } from './declare/parsers.js';
import {
  choice,
  conflicting,
  declare,
  flag,
  parsed,
  required,
  text,
  withDefault,
} from './declare/spec.js';

export const SWEEP = declare({
  argument: ['<file>', 'a YAML file with a base recipe, changes of it, and seeds'],
  options: {
    out: text('-o, --out <dir>', 'the folder of runs and results (default: sweeps/<file>)'),
    jobs: parsed(
      '--jobs <n>',
      'trainings at the same time (default: processors by threads of a run)',
      amount,
    ),
    shard: parsed(
      '--shard <i/n>',
      'only part i of n, from 0; n alone takes i from JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID',
      shard,
    ),
    only: parsed(
      '--only <name>',
      'only this setting (hinge) or run (hinge-seed0); may be given several times',
      repeated,
    ),
    retry: flag('--retry', 'start the runs that failed anew'),
    dryRun: flag('--dry-run', 'list the runs and what is wrong with them, and train nothing'),
    table: conflicting(
      flag('--table', 'show the results so far, and train nothing'),
      'dryRun',
      'print',
    ),
    print: choice('--print <engine>', 'print the job file for a cluster, and train nothing', [
      'slurm',
      'kubernetes',
    ]),
    parts: withDefault(
      parsed('--parts <n>', 'with --print: in how many parts', wholeNumber(1, 10_000)),
      4,
    ),
    storage: text(
      '--storage <url>',
      'of a search: where Optuna keeps its trials, for several machines (default: OPTUNA_STORAGE, or a file in --out)',
    ),
    json: flag('--json', 'print the results as JSON'),
  },
  examples: [
    'sweep losses.yml --dry-run',
    'sweep losses.yml -o sweeps/losses',
    'sweep losses.yml -o sweeps/losses --only hinge --only modified-seed2',
    'sweep losses.yml -o sweeps/losses --table',
    'sweep losses.yml -o part-0 --shard 0/4',
    'sweep losses.yml -o sweeps/losses --print slurm > losses.sh',
    'sweep search.yml -o sweeps/search',
    'sweep search.yml -o sweeps/here --storage postgresql://optuna@db/trials',
  ],
});

export const MERGE = declare({
  argument: [
    '<folders...>',
    'the folders of the parts of one sweep, or of score --manifest or sample in bulk',
  ],
  options: {
    out: required(text('-o, --out <dir>', 'the folder of the joined results')),
    format,
    json: flag('--json', 'print the results as JSON'),
  },
  examples: [
    'merge part-0 part-1 part-2 part-3 -o sweeps/losses',
    'merge scores -o scores --format parquet',
  ],
});
