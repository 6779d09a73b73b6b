/**
 * A recipe determines completely how a pair of networks is trained. The schema is composed of the
 * keys that all recipes have and of those that each method declares beside its code.
 */
import * as z from 'zod';
import { METHODS, type MethodName } from '../methods/index.js';
import type { OwnKeys } from '../methods/method.js';
import { dataSchema, misplaced, modelKeys, nameKeys, trainingKeys } from './keys/common.js';
import { outputSchema } from './keys/output.js';

type Section = keyof OwnKeys;
type Definition = (typeof METHODS)[MethodName];

/** The intersection of the members of a union: what it takes to be a parameter for each of them. */
type All<U> = (U extends unknown ? (u: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

/** Makes all keys optional; the method determines which of them are required or refused. */
const optional = <S extends z.ZodRawShape>(keys: S) => z.object(keys).partial().shape;

/** The keys that belong to some methods only, in the order of the methods. */
const ownKeys = <S extends Section>(section: S) =>
  Object.assign({}, ...Object.values(METHODS).map(({ keys }) => keys[section])) as All<
    Definition['keys'][S]
  >;

/** Reports keys that the method requires and lacks, and keys of other methods. */
const checkOwnKeys = (
  section: Section,
  given: Readonly<Record<string, unknown>>,
  method: MethodName,
  context: z.core.$RefinementCtx,
): void => {
  const own: Readonly<Record<string, z.core.$ZodType>> = METHODS[method].keys[section];
  for (const key of Object.keys(ownKeys(section))) {
    const there = given[key] !== undefined;
    const rule = own[key];
    const fits = there ? rule !== undefined : !rule || z.safeParse(rule, undefined).success;
    if (!fits) misplaced(context, [section, key], given[key], there, `the method ${method}`);
  }
};

const LENGTH = { error: 'given one of the keys epochs and steps, and not both' };

// The order of the keys is that of recipe.yml and of the recipe in checkpoints.
const { spectral_norm, batch_norm, initialization, ...named } = modelKeys;
const model = z.strictObject({
  ...named,
  ...optional(ownKeys('model')),
  spectral_norm,
  batch_norm,
  initialization,
});

const { generator_average, average_ramp, ...rest } = trainingKeys;
const training = z
  .strictObject({
    method: z
      .enum(Object.keys(METHODS) as MethodName[])
      .optional()
      .describe('How the networks learn from one another; adversarial unless given.'),
    ...optional(METHODS.adversarial.keys.training),
    generator_average,
    average_ramp,
    ...optional(ownKeys('training')),
    ...rest,
  })
  .refine((keys) => keys.average_ramp === undefined || keys.generator_average !== undefined, {
    error: 'left out without training.generator_average',
    path: ['average_ramp'],
  })
  .refine(({ epochs, steps }) => (epochs === undefined) !== (steps === undefined), LENGTH);

/** The schema of a recipe. */
export const recipeSchema = z
  .strictObject({
    ...nameKeys,
    data: dataSchema.describe('The images to learn from.'),
    model: model.describe('The two networks.'),
    training: training.describe('How the networks learn.'),
    output: outputSchema.describe('What is written as the training goes on.'),
  })
  .superRefine((recipe, context) => {
    const { method = 'adversarial' } = recipe.training;
    checkOwnKeys('training', recipe.training, method, context);
    checkOwnKeys('model', recipe.model, method, context);
  });

/** A checked recipe. */
export type Recipe = z.infer<typeof recipeSchema>;

/** The method of a recipe. */
export const methodOf = ({ training: { method = 'adversarial' } }: Recipe) => METHODS[method];
