// The parts of a sweep, and the job files that start them.
import { expect, test } from 'vitest';
import { JOBS } from '../src/commands/sweep/jobs.js';
import { meanOf } from '../src/commands/sweep/results.js';
import { partOf, rowsOfPart } from '../src/commands/sweep/shard.js';

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

test('every row is in one part', () => {
  const rows = Array.from({ length: 11 }, (_, k) => k);
  const parts = [0, 1, 2, 3].map((index) => rowsOfPart(rows, { index, count: 4, from: '' }));
  expect(parts.flat().sort((a, b) => a - b)).toEqual(rows);
});

test('the standard error is that of a mean', () => {
  // The sample's standard deviation of 2, 4, 4, 6 is √(8/3), and the error half of it.
  expect(meanOf([2, 4, 4, 6])).toEqual({ mean: 4, error: Math.sqrt(8 / 3) / 2, count: 4 });
  expect(meanOf([5])).toEqual({ mean: 5, count: 1 });
});

test('job files name each part by the variable of their engine', () => {
  const job = { file: "it's.yml", out: 'out', parts: 3, threads: 2, name: 'it-s' };
  expect(JOBS.slurm(job)).toContain('#SBATCH --array=0-2\n');
  expect(JOBS.slurm(job)).toContain(
    `exec npx gpn-cli sweep 'it'\\''s.yml' -o 'out'"/part-$SLURM_ARRAY_TASK_ID" --jobs 1\n`,
  );
  expect(JOBS.kubernetes(job)).toContain('completions: 3\n');
  expect(JOBS.kubernetes(job)).toContain('- "out/part-$(JOB_COMPLETION_INDEX)"\n');
});
