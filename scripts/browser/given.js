/** What every library of `bench:browser` is given: the data, the noise, the rates and the first state. */
import { stream } from '@gpn/runtime';
import { ganOf } from '../../training/dist/recipe/gan.js';
import { firstRates } from '../../training/dist/run/progress.js';
import { startingState } from '../../training/dist/steps/state.js';

/**
 * @param images the address of their bytes
 * @returns the phase of the recipe's step, the tensors that step k is fed, by name, and the first state
 */
export async function givenOf(recipe, images) {
  const { height, width, channels } = recipe.data;
  const bytes = new Uint8Array(await (await fetch(images)).arrayBuffer());
  const count = bytes.length / (height * width * channels);
  const dataset = { name: 'images', hash: '', count, height, width, channels, images: bytes };
  const gan = ganOf(recipe);
  const [phase] = gan.phases;
  const { feeds } = phase.data(dataset);
  const rates = firstRates(recipe, phase);
  const random = stream(recipe.training.seed, 'initialization');
  const start = startingState(gan.state, recipe.model.initialization, random);
  return { phase, feeds: (k) => ({ ...feeds(k), ...rates }), start };
}
