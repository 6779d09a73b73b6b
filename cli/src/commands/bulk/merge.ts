import { UserError } from '@gpn/runtime';
import { joinShards } from '../../bulk/join.js';
import { readPlan } from '../../bulk/plan.js';
import { report as reportBulk } from '../../bulk/run.js';
import { checkWritable } from '../../files.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { MERGE } from '../../options/sweep.js';
import { printAside } from '../../terminal/print.js';
import { report } from '../sweep/report.js';
import { joined, readResults, refuseOthers, writeResults } from '../sweep/results.js';
import { joinedSearches, recipeIn, reportSearch, writeSearch } from '../sweep/search/results.js';

export async function run(folders: string[], options: OptionsOf<typeof MERGE>): Promise<void> {
  await checkWritable(options.out, 'folder', '--out');
  if ((await Promise.all(folders.map(readPlan))).some(Boolean)) {
    reportBulk(await joinShards(folders, options.out, options.format ?? 'ndjson'), options.json);
    return;
  }
  if (options.format) {
    throw new UserError('--format is for bulk work: the results of sweeps are JSON and Markdown.');
  }
  const parts = await Promise.all(folders.map(readResults));
  if (parts.some(({ search }) => search)) {
    const results = joinedSearches(folders, parts);
    const files = await writeSearch(options.out, results, (trial) => recipeIn(folders, trial));
    return reportSearch(results, files, options.json);
  }
  const results = joined(folders, parts);
  await refuseOthers(options.out, results);
  for (const row of results.rows) {
    if (row.failed !== undefined) printAside(`${row.name} failed: ${row.failed}\n`);
  }
  report(results, await writeResults(options.out, results), options.json);
}
