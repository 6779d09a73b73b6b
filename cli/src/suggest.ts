/** A recipe made for a folder of pictures, for `new` and for `train` without a recipe. */

import type { DetectorWishes, Recipe } from '@gpn/training';
import { surveyFolder } from '@gpn/training/pictures';
import { statusLine } from './terminal/status.js';

/** A recipe as it is written, and as it is read. */
export interface Suggestion {
  readonly text: string;
  readonly recipe: Recipe;
  /** The number of pictures to train with. */
  readonly count: number;
}

/**
 * Looks at a folder, and returns what makes recipes for it.
 *
 * @param path of the folder as the recipe has it
 * @param file what to call the recipe in an error
 * @param isDetector whether the recipes are those of a detector
 * @throws UserError if there are too few pictures, or a wish cannot be had
 */
export async function suggestionsFor(
  folder: string,
  path: string,
  file: string,
  isDetector = false,
): Promise<(wishes: DetectorWishes) => Suggestion> {
  const line = statusLine(process.stderr);
  const survey = await surveyFolder(folder, {
    onProgress: (done, total) => line.show(`${done} of ${total} images`),
  }).finally(line.clear);
  const { parseRecipe, suggestDetector, suggestRecipe } = await import('@gpn/training');
  const make = isDetector ? suggestDetector : suggestRecipe;
  return (wishes) => {
    const text = make(survey, path, wishes);
    return { text, recipe: parseRecipe(text, file), count: survey.parts[0]?.count ?? 0 };
  };
}
