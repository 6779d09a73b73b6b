/** A training that starts with the weights of a detector that was trained before. */
import type { Convolution } from '@gpn/export';
import { type ModelInfo, readModelInfo, readSource, reasonOf, UserError } from '@gpn/runtime';
import { digest } from '@gpn/runtime/write';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { State } from '../engine/types.js';
import { ganOf } from '../recipe/gan.js';
import type { Recipe } from '../recipe/schema.js';
import type { TrainedDetector } from '../recipe/suggest-detector.js';
import { exportNetwork } from './network.js';

type Start = Pick<Checkpoint, 'recipe' | 'progress' | 'state'>;

/** Orientations that a file may judge, each by the same convolutions. */
const ORIENTATIONS = [1, 2, 4, 8] as const;

/**
 * The state at the start of a training whose discriminator has the weights of the file `model.from`; all else is
 * as it was drawn. The file has its batch normalisation in its convolutions, each with its biases.
 *
 * What was found must compute what the file's certificate says.
 * @throws UserError if the file is no detector, is not the one that the recipe was checked with, or its network is
 *   not that of the recipe
 */
export async function startFrom(start: Start): Promise<State> {
  const { recipe } = start;
  const { from = '', from_sha256 } = recipe.model;
  const { bytes, label } = await readSource(from);
  if (digest(bytes) !== from_sha256) {
    throw new UserError(
      `${label} is not the file that the recipe was checked with (its SHA-256 is not ${from_sha256?.slice(0, 12)}…): put that one back.`,
    );
  }
  const info = readModelInfo(bytes, label);
  checkFragments(recipe, info, label);
  const found = await convolutionsOf(bytes, label);
  const { params } = ganOf(recipe).pair.discriminator;
  const layers = Object.keys(params).length / 2;
  const orientations = ORIENTATIONS.find((count) => count * layers === found.length);
  const weights = named(found.slice(0, layers));
  const fits = Object.entries(params).every(
    ([name, { shape }]) => `${weights[`discriminator/params/${name}`]?.shape}` === `${shape}`,
  );
  const state = { ...start.state, ...weights };
  if (!orientations || !fits || !(await repeats({ ...start, state }, orientations, info))) {
    throw new UserError(
      `${label} is not of the network of this recipe (${recipe.model.network}${recipe.model.width ? `, width ${recipe.model.width}` : ''}), so the training cannot start with its weights: take the recipe that it was made by, with model.batch_norm false.`,
    );
  }
  return state;
}

/**
 * What a recipe has to know of a detector of the network `gpn-deep` to start from it.
 * @param model a file, or the name of a bundled one
 * @throws UserError if it is none
 */
export async function trainedDetector(model: string): Promise<Omit<TrainedDetector, 'from'>> {
  const { bytes, label } = await readSource(model);
  const { fragment, image } = readModelInfo(bytes, label);
  const [first] = fragment ? await convolutionsOf(bytes, label) : [];
  const [, , inputs, width] = first?.kernel.shape ?? [];
  const { channels } = image;
  // It sees each channel, and its differences from the pixels around.
  const known = channels === 1 || channels === 3;
  if (!fragment || !width || !known || inputs !== 2 * channels) {
    throw new UserError(
      `${label} is no detector of the network gpn-deep, whose weights a recipe of new can start with.`,
    );
  }
  return { width, internal: fragment.internal, frame: fragment.frame, channels };
}

/** The convolutions of a file that have biases. @throws UserError if there are none */
async function convolutionsOf(bytes: Uint8Array, label: string): Promise<Convolution[]> {
  // It loads TF.js' converter, too, which takes half a second.
  const { convolutionsIn } = await import('@gpn/export');
  let found: Convolution[];
  try {
    found = convolutionsIn(bytes).filter(({ bias }) => bias);
  } catch (error) {
    throw new UserError(`${label} cannot be read: ${reasonOf(error)}.`);
  }
  if (found.length > 0) return found;
  throw new UserError(
    `${label} holds no convolutions with float32 weights, which a training could start with: give the file as it was trained, and not one with float16 weights.`,
  );
}

/** @throws UserError unless the file judges fragments as the recipe's */
function checkFragments(
  { data, model }: Recipe,
  { kind, fragment, image }: ModelInfo,
  label: string,
) {
  if (kind !== 'discriminator' || !fragment) {
    throw new UserError(
      `${label} is ${fragment ? `a ${kind}` : 'no detector of fragments'}, but model.from needs a detector: give the discriminator of one.`,
    );
  }
  const wanted = { ...model.fragment, channels: data.channels };
  const given = { ...fragment, channels: image.channels };
  for (const key of ['internal', 'frame', 'channels'] as const) {
    if (given[key] === wanted[key]) continue;
    throw new UserError(
      `${label} has ${given[key]} ${NAMES[key]}, but the recipe has ${wanted[key]}: a training can start only with weights for fragments like its own.`,
    );
  }
}

const NAMES = {
  internal: 'pixels in the internal part of its fragments',
  frame: 'pixels of frame around it',
  channels: 'channels',
} as const;

/** The weights by their paths in a state. */
const named = (convolutions: readonly Convolution[]): State =>
  Object.fromEntries(
    convolutions.flatMap(({ kernel, bias = new Float32Array() }, k) => [
      [`discriminator/params/conv${k + 1}/kernel`, { dtype: 'float32', ...kernel }],
      [
        `discriminator/params/conv${k + 1}/bias`,
        { dtype: 'float32', shape: [bias.length], data: bias },
      ],
    ]),
  );

/** Whether a network that starts like this computes what a file's certificate says, in as many orientations. */
async function repeats(
  { recipe, ...start }: Start,
  orientations: number,
  { certificate }: ModelInfo,
): Promise<boolean> {
  const { fragment, ...model } = recipe.model;
  const { orientations: _, ...one } = fragment ?? { internal: 0, frame: 0 };
  const turning = orientations === 1 ? one : { ...one, orientations };
  const alike = { ...recipe, model: { ...model, fragment: turning } } as Recipe;
  const { info } = await exportNetwork({ ...start, recipe: alike }, 'discriminator');
  const [a, b] = [info.certificate, certificate];
  if (!a || !b || a.count !== b.count || a.seed !== b.seed) return true;
  const scale = Math.max(1, b.rms);
  return a.values.every(
    (value, k) => Math.abs(value - (b.values[k] as number)) <= scale * b.tolerance.cpu,
  );
}
