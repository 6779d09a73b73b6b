/**
 * A recipe says all that decides how a pair of networks is trained. The schema is put together from
 * the keys that all recipes have and those that each method declares beside its code.
 */
import { z } from 'zod';
import { METHODS, type MethodName } from '../methods/index.js';
import { dataSchema, misplaced, modelKeys, nameKeys, trainingKeys } from './keys/common.js';
import { outputSchema } from './keys/output.js';

/** Each may be given; which must be, and which may not, follows from the method. */
const optional = <S extends z.ZodRawShape>(keys: S) => z.object(keys).partial().shape;
const { adversarial, infogan, began, predictive } = METHODS;

/** For each section, the keys that belong to some methods alone. */
const ownKeys = (section: 'training' | 'model'): string[] => [
  ...new Set(Object.values(METHODS).flatMap(({ keys }) => Object.keys(keys[section]))),
];

/** Objects to keys that a method lacks, and to those of other methods. */
const checkOwnKeys = (
  section: 'training' | 'model',
  given: Readonly<Record<string, unknown>>,
  method: MethodName,
  context: z.core.$RefinementCtx,
): void => {
  const own: Readonly<Record<string, z.core.$ZodType>> = METHODS[method].keys[section];
  for (const key of ownKeys(section)) {
    const there = given[key] !== undefined;
    const rule = own[key];
    const fits = there ? rule !== undefined : !rule || z.safeParse(rule, undefined).success;
    if (!fits) misplaced(context, [section, key], given[key], there, `the method ${method}`);
  }
};

const LENGTH = { error: 'given one of the keys epochs and steps, and not both' };

// The keys are in the order in which recipe.yml and checkpoints write them.
const { spectral_norm, batch_norm, initialization, ...named } = modelKeys;
const model = z.strictObject({
  ...named,
  ...optional(infogan.keys.model),
  ...optional(predictive.keys.model),
  spectral_norm,
  batch_norm,
  initialization,
});

const { generator_average, ...rest } = trainingKeys;
const training = z
  .strictObject({
    method: z
      .enum(Object.keys(METHODS) as MethodName[])
      .optional()
      .describe('How the networks learn from one another; adversarial unless given.'),
    ...optional(adversarial.keys.training),
    generator_average,
    ...optional(infogan.keys.training),
    ...optional(began.keys.training),
    ...optional(predictive.keys.training),
    ...rest,
  })
  .refine(({ epochs, steps }) => (epochs === undefined) !== (steps === undefined), LENGTH);

/** What a YAML recipe is checked against. */
export const recipeSchema = z
  .strictObject({ ...nameKeys, data: dataSchema, model, training, output: outputSchema })
  .superRefine((recipe, context) => {
    const { method = 'adversarial' } = recipe.training;
    checkOwnKeys('training', recipe.training, method, context);
    checkOwnKeys('model', recipe.model, method, context);
  });

export type Recipe = z.infer<typeof recipeSchema>;

/** The method of a recipe. */
export const methodOf = ({ training: { method = 'adversarial' } }: Recipe) => METHODS[method];
