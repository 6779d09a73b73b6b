/**
 * A recipe determines completely how a pair of networks is trained. The schema is composed of the
 * keys that all recipes have and of those that each method declares beside its code.
 */
import { z } from 'zod';
import { METHODS, type MethodName } from '../methods/index.js';
import { dataSchema, misplaced, modelKeys, nameKeys, trainingKeys } from './keys/common.js';
import { outputSchema } from './keys/output.js';

/** Makes all keys optional; the method determines which of them are required or refused. */
const optional = <S extends z.ZodRawShape>(keys: S) => z.object(keys).partial().shape;
const { adversarial, infogan, began, predictive } = METHODS;

/** The keys of a section that belong to some methods only. */
const ownKeys = (section: 'training' | 'model'): string[] => [
  ...new Set(Object.values(METHODS).flatMap(({ keys }) => Object.keys(keys[section]))),
];

/** Reports keys that the method requires and lacks, and keys of other methods. */
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

// The order of the keys is that of recipe.yml and of the recipe in checkpoints.
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

/** The schema of a recipe. */
export const recipeSchema = z
  .strictObject({ ...nameKeys, data: dataSchema, model, training, output: outputSchema })
  .superRefine((recipe, context) => {
    const { method = 'adversarial' } = recipe.training;
    checkOwnKeys('training', recipe.training, method, context);
    checkOwnKeys('model', recipe.model, method, context);
  });

/** A checked recipe. */
export type Recipe = z.infer<typeof recipeSchema>;

/** The method of a recipe. */
export const methodOf = ({ training: { method = 'adversarial' } }: Recipe) => METHODS[method];
