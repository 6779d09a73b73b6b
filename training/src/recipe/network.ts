/** Whether a recipe's networks are made for its method. */
import type { Pair } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import type { MethodName } from '../methods/index.js';
import type { Path } from './errors.js';
import type { Recipe } from './schema.js';

/** What the discriminator gives for an image, as a shape; fragments have a check of their own. */
const JUDGEMENTS: Partial<Record<MethodName, (recipe: Recipe) => readonly number[]>> = {
  adversarial: () => [1],
  infogan: ({ model: { categories = 0, codes = 0, code_variance } }) => [
    1 + categories + codes * (code_variance ? 2 : 1),
  ],
  began: ({ data: { height, width, channels } }) => [height, width, channels],
};

/** @throws UserError where InfoGAN has nothing to draw, or the networks are of another method */
export function checkNetwork(
  recipe: Recipe,
  { discriminator }: Pair,
  place: (path: Path) => string,
): void {
  const { network, ...model } = recipe.model;
  const { method = 'adversarial' } = recipe.training;
  for (const key of ['categories', 'codes'] as const) {
    if ((model[key] !== undefined) === (method === 'infogan')) continue;
    const what = method === 'infogan' ? 'given' : 'left out';
    throw new UserError(`${place(['model', key])} must be ${what} with the method ${method}.`);
  }
  const wanted = JUDGEMENTS[method]?.(recipe);
  if (wanted && `${wanted}` !== `${discriminator.outputShape}`) {
    throw new UserError(
      `${place(['model', 'network'])} must be one that is made for the method ${method}, found ${network}.`,
    );
  }
}
