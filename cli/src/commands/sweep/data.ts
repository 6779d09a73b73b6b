/** Whether a sweep has what its runs read: its data, and the judge that measures. */
import { readSource, UserError } from '@gpn/runtime';
import { checkDataset, evaluationOf, type SweepRow } from '@gpn/training';
import type { Plan } from './plan.js';

/** The rows; those that lack something have a sentence about it in place of their recipe. */
export async function withData(
  { sweep, base }: Plan,
  rows: readonly SweepRow[],
): Promise<SweepRow[]> {
  // The rows share their data: each is looked at once.
  const problems = new Map<string, Promise<string | undefined>>();
  const problemOf = (what: string, look: () => Promise<unknown>): Promise<string | undefined> => {
    const known = problems.get(what) ?? sentenceOf(look);
    problems.set(what, known);
    return known;
  };
  const checked = async (row: SweepRow): Promise<SweepRow> => {
    const { recipe } = row;
    if (typeof recipe === 'string') return row;
    const { data, features } = evaluationOf(sweep, recipe, base);
    const problem =
      (await problemOf(recipe.data.dataset, () => checkDataset(recipe.data.dataset))) ??
      (await problemOf(data, () => checkDataset(data))) ??
      (features && (await problemOf(features, () => readSource(features))));
    return problem ? { ...row, recipe: problem } : row;
  };
  return Promise.all(rows.map(checked));
}

/** What is wrong; undefined if nothing is. */
async function sentenceOf(look: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
