/** Checks of a recipe as a whole: its keys against each other, its networks and its method. */
import { NETWORKS, type NetworkError, type Pair } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import { resolve } from '#host';
import { isNamed } from '../data/sets/names.js';
import { LOSSES } from '../gan/losses.js';
import {
  type Check,
  dotted,
  expectation,
  type Objection,
  type Path,
  recipeProblem,
} from './errors.js';
import { FRAGMENT_CHECKS } from './fragment-checks.js';
import { networksOf } from './gan.js';
import { FEWEST_NORMAL } from './keys/values.js';
import { origin } from './own/from.js';
import { hashOf, isFile, isKnown, isOwn } from './own/networks.js';
import { tryNetworks } from './own/try.js';
import { methodOf, type Recipe, recipeSchema } from './schema.js';

/** Penalties on the slopes of single scores. */
const PENALTIES = ['gradient_penalty', 'r1', 'r2'] as const;

const ROLES = ['generator', 'discriminator'] as const;

/** Keys of `model` that networks are given as side inputs: the input's name, and which take it. */
const CONDITIONS = [
  ['classes', 'labels', ROLES],
  ['categories', 'categories', ['generator']],
  ['codes', 'codes', ['generator']],
] as const;

const methodName = ({ training: { method = 'adversarial' } }: Recipe): string => method;

/** What the discriminator is shown. */
const shownBy = ({ model: { fragment }, training: { packing = 1 } }: Recipe): string => {
  if (fragment) return 'fragments';
  return packing > 1 ? `${packing} images at once` : 'whole images';
};

const SIDES = ['height', 'width', 'channels'] as const;

/** In the order in which they run; the networks are built after the first checks have passed. */
const CHECKS: readonly Check[] = [
  ({ training: { loss, label_smoothing: smoothing = 0 } }) =>
    smoothing > 0 &&
    LOSSES[loss ?? '']?.smoothing === false && {
      path: ['training', 'label_smoothing'],
      must: `0 with the loss ${loss}, which gives real images no label`,
      found: smoothing,
    },
  ({ training: { batch_size, information } }) =>
    information?.diversity !== undefined &&
    batch_size % 2 === 1 && {
      path: ['training', 'batch_size'],
      must: 'even with information.diversity, which compares the halves of a batch',
      found: batch_size,
    },
  ({ training: { batch_size, packing = 1 } }) =>
    batch_size % packing !== 0 && {
      path: ['training', 'batch_size'],
      must: `a multiple of training.packing, ${packing}`,
      found: batch_size,
    },
  ({ model: { classes }, training: { packing = 1 } }) =>
    packing > 1 &&
    classes !== undefined && {
      path: ['training', 'packing'],
      must: 'left out with model.classes, because images that are scored together are of several classes',
      found: packing,
    },
  ({ model, training }) => {
    const penalty = PENALTIES.find((key) => training[key] !== undefined);
    return (
      penalty !== undefined &&
      model.batch_norm && {
        path: ['model', 'batch_norm'],
        must: `false with training.${penalty}, which needs the score of an image to depend on that image alone`,
      }
    );
  },
  ({ training }) => {
    const penalty = PENALTIES.find((key) => training[key] !== undefined);
    return (
      penalty !== undefined &&
      training.unrolled_steps !== undefined && {
        path: ['training', 'unrolled_steps'],
        must: `left out with training.${penalty}, whose third derivatives it would need`,
        found: training.unrolled_steps,
      }
    );
  },
  ({ data: { flip }, training: { method } }) =>
    flip === true &&
    method === 'predictive' && {
      path: ['data', 'flip'],
      must: 'left out with the method predictive, which learns from fragments',
    },
  ...(['crops', 'held_out'] as const).map(
    (key): Check =>
      ({ data, training: { method = 'adversarial' } }) =>
        data[key] !== undefined &&
        (method !== 'predictive' || isNamed(data.dataset)) && {
          path: ['data', key],
          must:
            method === 'predictive'
              ? `left out with the data set ${data.dataset}, ${key === 'crops' ? 'whose images are ready' : 'which has test images'}`
              : `left out with the method ${method}, which learns from whole pictures`,
        },
  ),
  ({ data: { held_out: held }, training: { predictive } }) =>
    held !== undefined &&
    held < FEWEST_NORMAL &&
    predictive?.detector === true && {
      path: ['data', 'held_out'],
      must: `at least ${FEWEST_NORMAL} for a detector, which is calibrated with them`,
      found: held,
    },
  ({ training: { schedule, r1, r2 } }) =>
    schedule?.penalty_factor !== undefined &&
    r1 === undefined &&
    r2 === undefined && {
      path: ['training', 'schedule', 'penalty_factor'],
      must: 'left out without training.r1 and training.r2',
    },
  ({ training: { schedule, input_noise, method } }) =>
    schedule?.noise_factor !== undefined &&
    (input_noise === undefined || method === 'predictive') && {
      path: ['training', 'schedule', 'noise_factor'],
      must:
        method === 'predictive'
          ? 'left out with the method predictive, whose noise does not change'
          : 'left out without training.input_noise',
    },
  ({ training: { schedule, optimizer } }) =>
    schedule?.beta2 !== undefined &&
    optimizer.type !== 'adam' && {
      path: ['training', 'schedule', 'beta2'],
      must: `left out with the optimizer ${optimizer.type}`,
    },
  ({ model: { network } }) =>
    !isKnown(network) && {
      path: ['model', 'network'],
      must: `${Object.keys(NETWORKS).join(', ')}, or the path of a file, such as ./my-network.js`,
      found: network,
    },
  ...FRAGMENT_CHECKS,
  ({ training, output }) =>
    output.on_collapse === 'rollback' &&
    training.method === 'predictive' && {
      path: ['output', 'on_collapse'],
      must: 'warn or stop with the method predictive, whose discriminator cannot go back with the generator',
    },
  ({ training: { unrolled_steps: steps } }, pair) =>
    steps !== undefined &&
    Object.keys(pair().discriminator.buffers).length > 0 && {
      path: ['training', 'unrolled_steps'],
      must: 'left out with a discriminator that has batch or spectral normalisation, whose second derivatives are not known here',
      found: steps,
    },
  ...SIDES.map(
    (key, axis): Check =>
      ({ data, model: { network } }, pair) => {
        const made = pair().generator.outputShape[axis];
        return (
          data[key] !== made && {
            path: ['data', key],
            must: `${made} for the network ${network}`,
            found: data[key],
          }
        );
      },
  ),
  ...CONDITIONS.map(
    ([key, name, roles]): Check =>
      ({ model }, pair) => {
        const given = model[key];
        const untaken = roles.find((role) => pair()[role].conditions[name] !== given);
        return (
          untaken !== undefined && {
            path: ['model', key],
            must:
              given === undefined
                ? `given with the network ${model.network}, whose ${untaken} takes ${name}`
                : `left out with the network ${model.network}, whose ${untaken} takes no ${name}`,
          }
        );
      },
  ),
  (recipe, pair) => {
    const { height, width, channels } = recipe.data;
    const wanted = methodOf(recipe).inputShape?.(recipe) ?? [height, width, channels];
    return (
      `${wanted}` !== `${pair().discriminator.inputShape}` && {
        path: ['model', 'network'],
        must: `one whose discriminator takes ${wanted.join(' × ')}, as the method ${methodName(recipe)} shows it ${shownBy(recipe)}`,
        found: recipe.model.network,
      }
    );
  },
  (recipe, pair) => {
    const wanted = methodOf(recipe).outputShape?.(recipe);
    return (
      wanted !== undefined &&
      `${wanted}` !== `${pair().discriminator.outputShape}` && {
        path: ['model', 'network'],
        must: `one that is made for the method ${methodName(recipe)}`,
        found: recipe.model.network,
      }
    );
  },
  (recipe, pair) => {
    const role = ROLES.find((each) => {
      const noisy = Object.keys(pair()[each].noise).length > 0;
      return noisy && methodOf(recipe).dropout !== each;
    });
    return (
      role !== undefined && {
        path: ['model', 'network'],
        must: `one without dropout in its ${role}, which the method ${methodName(recipe)} has no noise for`,
        found: recipe.model.network,
      }
    );
  },
];

/**
 * Checks a recipe, each key first and then the recipe as a whole. Networks of the user's own are loaded
 * and tried, and the SHA-256 of their file is noted.
 * @param place names a key as the user gave it: by line or by option
 * @param base the folder that the path of a network's file is relative to
 * @throws UserError naming the first key that is wrong and what it must be
 */
export function checkRecipe(
  value: unknown,
  place: (path: Path) => string = dotted,
  base = '.',
): Recipe {
  const { data, error } = recipeSchema.safeParse(value, { error: expectation, reportInput: true });
  if (error) throw new UserError(recipeProblem(error.issues, place, recipeSchema));
  const recipe = withFiles(data, base);
  let built: Pair | undefined;
  const pair = () => {
    built ??= networksOf(recipe);
    return built;
  };
  for (const check of CHECKS) {
    const objection = objectionOf(check, recipe, pair);
    if (!objection) continue;
    const { path, must, found } = objection;
    const end = found === undefined ? '' : `, found ${found}`;
    throw new UserError(`${place(path)} must be ${must}${end}.`);
  }
  const { network } = recipe.model;
  if (isOwn(network)) {
    const { training } = recipe;
    const twice =
      PENALTIES.some((key) => training[key] !== undefined) || training.predictive?.r1 !== undefined;
    tryNetworks(pair(), network, twice);
  }
  return recipe;
}

/** The recipe with the whole paths of the files that its networks come from, each with its SHA-256. */
function withFiles(recipe: Recipe, base: string): Recipe {
  const model = { ...recipe.model, ...origin(recipe.model, base) };
  if (!isFile(model.network)) return { ...recipe, model };
  const network = resolve(base, model.network);
  const network_sha256 = hashOf({ ...model, network });
  return { ...recipe, model: { ...model, network, network_sha256 } };
}

/** What a check objects to, or the networks themselves, which do not take every option. */
function objectionOf(
  check: Check,
  recipe: Recipe,
  pair: () => Pair,
): Objection | false | undefined {
  try {
    return check(recipe, pair);
  } catch (error) {
    if (!isNetworkError(error)) throw error;
    const path = PATHS[error.option];
    if (!path) throw error;
    const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], recipe);
    return { path, must: `${error.must} (network ${recipe.model.network})`, found };
  }
}

/** By name: a file of one's own may have another copy of the class. */
const isNetworkError = (error: unknown): error is NetworkError =>
  (error as Error).name === 'NetworkError';

/** The keys of a recipe that set the options of networks. */
const PATHS: Partial<Record<NetworkError['option'], readonly string[]>> = {
  height: ['data', 'height'],
  width: ['data', 'width'],
  baseChannels: ['model', 'width'],
  batchNorm: ['model', 'batch_norm'],
  fragment: ['model', 'fragment', 'stride'],
  spectralNorm: ['model', 'spectral_norm'],
};
