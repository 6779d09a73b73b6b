/** The results of a search: the recipes of its best trials, and what several machines have found. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { ensureWritableFolder, writeFileAtomic } from '@gpn/training/atomic';
import { RowsFailed } from '../../../errors.js';
import { print, printAside } from '../../../terminal/print.js';
import { type Head, meansText, type Results, resultsOf, writeResults } from '../results.js';

/** Where the recipe of a best trial is, by the name of the trial. */
export const bestFile = (out: string, trial: string): string => join(out, 'best', `${trial}.yml`);

/**
 * Writes the results and the recipes of the best trials.
 * @param recipeOf the text of a recipe by the name of its trial
 */
export async function writeSearch(
  out: string,
  results: Results,
  recipeOf: (trial: string) => string | Promise<string>,
): Promise<string[]> {
  const { best = [] } = results;
  const recipes = await Promise.all(best.map(recipeOf));
  const files = await writeResults(out, results);
  // What was best before may not be so any more.
  await rm(join(out, 'best'), { recursive: true, force: true });
  if (best.length > 0) await ensureWritableFolder(join(out, 'best'));
  for (const [k, trial] of best.entries()) {
    await writeFileAtomic(bestFile(out, trial), recipes[k] as string);
    files.push(bestFile(out, trial));
  }
  return files;
}

/** Prints the results. @throws RowsFailed if no trial has a value; that some fail is a part of a search */
export function reportSearch(
  results: Results,
  files: readonly string[],
  json: boolean | undefined,
): void {
  const { means, best = [] } = results;
  const text = `${meansText(results)}\n${files.map((file) => `${file}\n`).join('')}`;
  print(json ? `${JSON.stringify(results, null, 2)}\n` : text);
  const failed = means.filter(({ failed }) => failed > 0).length;
  if (means.length > 0 && best.length === 0) {
    throw new RowsFailed(`All of the ${means.length} trials failed, for the reasons above.`);
  }
  if (failed > 0) printAside(`${failed} of ${means.length} trials failed.\n`);
}

/**
 * Joins what the machines of one search have found.
 * @param folders those of the machines
 * @throws UserError if they are of different searches, or a run is there twice
 */
export function joinedSearches(folders: readonly string[], parts: readonly Results[]): Results {
  const common = ({ rows: _, means: __, best: ___, plan: ____, ...rest }: Results) => rest;
  const [first] = parts as [Results, ...Results[]];
  const other = parts.findIndex(
    (part) => JSON.stringify(common(part)) !== JSON.stringify(common(first)),
  );
  if (other >= 0) {
    throw new UserError(
      `${folders[0]} and ${folders[other]} are not of one search: their recipe, distributions or seeds differ.`,
    );
  }
  const from = new Map<string, string>();
  for (const [k, { plan }] of parts.entries()) {
    for (const { name } of plan) {
      const before = from.get(name);
      if (before !== undefined) {
        throw new UserError(
          `${name} is there twice, in ${before} and in ${folders[k]}: give each folder once; searches without a common --storage cannot be joined.`,
        );
      }
      from.set(name, folders[k] as string);
    }
  }
  const number = ({ setting }: { setting: string }): number => Number(setting.split('-').at(-1));
  const plan = parts.flatMap((part) => part.plan).sort((a, b) => number(a) - number(b));
  const head: Head = { ...common(first), plan };
  return resultsOf(
    head,
    parts.flatMap(({ rows }) => rows),
  );
}

/** The recipe of a best trial of all, which is one of the best of its machine, too. */
export async function recipeIn(folders: readonly string[], trial: string): Promise<string> {
  for (const folder of folders) {
    const text = await readFile(bestFile(folder, trial), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new UserError(`best/${trial}.yml is in none of the folders: run the search there again.`);
}
