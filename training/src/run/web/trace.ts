/**
 * The entry `@gpn/training/trace`: from a recipe to a training step in a page. It brings TensorFlow.js,
 * which `@gpn/training/web` does without, so load it by `import()`, when there is a recipe to trace.
 */
import { stepFile } from '../../export/step.js';
import { checkRecipe } from '../../recipe/check.js';
import { parseRecipe } from '../../recipe/yaml.js';

/**
 * The training step of a recipe: the bytes that `gpn-cli export RECIPE --training-step` writes.
 * @param recipe its text, YAML or JSON, or its keys as an object
 * @param label what to call it in an error
 * @throws UserError naming the line and the key, if the recipe is wrong or a page cannot train by it
 */
export const stepOf = (recipe: string | object, label = 'The recipe'): Uint8Array =>
  stepFile(typeof recipe === 'string' ? parseRecipe(recipe, label) : checkRecipe(recipe));

export { defineNetworks } from '../../recipe/own/networks.js';
export type { Recipe } from '../../recipe/schema.js';
