/** A recipe says all that decides how a pair of networks is trained. It is written in YAML. */
import { type Initialization, NETWORKS } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { reasonOf } from '../files/atomic.js';
import { networksOf } from '../gan/gan.js';
import { LOSSES } from '../gan/losses.js';
import { METHODS, type MethodName } from '../methods/index.js';
import { dotted, expectation, type Path, recipeProblem } from './errors.js';
import { count, decay, learningRate, pixels, ratio, size, whole } from './fields.js';
import { checkNetwork } from './network.js';
import { checkRollback, outputSchema } from './output.js';
import { checkFragment, predictiveSchema } from './predictive.js';

const INITIALIZATIONS = ['normal', 'xavier', 'kaiming'] as const satisfies Initialization[];

// An `error` completes the sentence "KEY must be …"; the others are in recipe-errors.ts.
const NAME = { error: 'made of at most 64 letters, digits, dots, dashes and underscores' };
const RANGE = { error: 'the list [0, 1] or [-1, 1]' };
const CLASS = { error: 'the name of a class or a digit' };
const LENGTH = { error: 'given one of the keys epochs and steps, and not both' };

const RATIOS = ['discriminator_steps', 'generator_steps'] as const;
const BOUNDS = ['gradient_penalty', 'weight_clip'] as const;
/** The keys of `training` that belong to some methods alone: each one's, and whether it needs them. */
const OWN_KEYS = {
  adversarial: { needs: ['loss'], takes: ['label_smoothing', ...RATIOS, ...BOUNDS] },
  infogan: { needs: ['loss', 'information'], takes: ['label_smoothing'] },
  began: { needs: ['equilibrium'], takes: [] },
  predictive: { needs: ['predictive'], takes: [] },
} as const satisfies Record<MethodName, { needs: readonly string[]; takes: readonly string[] }>;
type MethodKey = (typeof OWN_KEYS)[MethodName]['needs' | 'takes'][number];
const METHOD_KEYS = [
  ...new Set<MethodKey>(
    Object.values(OWN_KEYS).flatMap(({ needs, takes }) => [...needs, ...takes]),
  ),
];

/** A key that is there and should not be, or the other way round. */
function misplaced(
  context: z.core.$RefinementCtx,
  key: string,
  input: unknown,
  there: boolean,
  what: string,
): void {
  const message = there ? `left out with ${what}` : `given with ${what}`;
  context.addIssue({ code: 'custom', path: [key], message, input });
}

export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, NAME),
  description: z.string().max(2000).default(''),
  data: z.strictObject({
    /** `mnist`, `fashion`, or a folder; see resolveRecipe for what it is relative to. */
    dataset: z.string().min(1).max(4096),
    height: pixels,
    width: pixels,
    channels: z.literal([1, 3]),
    /** What the pixel values 0 and 255 become. */
    range: z
      .tuple([z.number(), z.number()], RANGE)
      .refine(([low, high]) => high === 1 && (low === 0 || low === -1), RANGE),
    /** Train with the images of these classes alone. */
    classes: z
      .array(z.union([z.string(), whole], CLASS))
      .min(1)
      .max(256)
      .optional(),
  }),
  model: z.strictObject({
    network: z.enum(Object.keys(NETWORKS)),
    /** `uniform`: U(-1, 1); `normal`: N(0, 1). */
    latent: z.strictObject({
      size: whole.min(1).max(4096),
      distribution: z.enum(['uniform', 'normal']),
    }),
    /** Classes of the labels that both networks are given; without it they are given none. */
    classes: size.optional(),
    /** InfoGAN: how many categories and codes are drawn. */
    categories: size.optional(),
    codes: size.optional(),
    /** Whether the discriminator gives the codes' variance beside their mean. */
    code_variance: z.boolean().optional(),
    /** Of a discriminator of fragments: the side of their middle, and the frame around it. */
    fragment: z.strictObject({ internal: size, frame: whole.min(0).max(256) }).optional(),
    /** Normalisations in the discriminator. */
    spectral_norm: z.boolean(),
    batch_norm: z.boolean(),
    initialization: z.enum(INITIALIZATIONS),
  }),
  training: z
    .strictObject({
      /** How the networks learn from one another; adversarial unless given. */
      method: z.enum(Object.keys(METHODS) as MethodName[]).optional(),
      loss: z.enum(Object.keys(LOSSES)).optional(),
      /** The discriminator's target for real images is 1 minus this. */
      label_smoothing: z.number().min(0).max(0.5).optional(),
      /** How often each network learns in a step; 1 unless given. */
      discriminator_steps: ratio.optional(),
      generator_steps: ratio.optional(),
      /** The weight of the gradient penalty (WGAN-GP's λ). */
      gradient_penalty: z.number().gt(0).max(1000).optional(),
      /** The largest magnitude of the discriminator's weights (WGAN's clipping). */
      weight_clip: z.number().gt(0).max(10).optional(),
      /** Keeps a moving average of the generator's weights, by this share of the old; it is exported. */
      generator_average: z.number().gt(0).lt(1).optional(),
      information: z
        .strictObject({
          /** What misread categories and codes count beside the adversarial losses. */
          weight: z.number().gt(0).max(100),
          /** What misread codes count beside a misread category. */
          code_weight: z.number().min(0).max(100),
          /** What it counts that the category of a real image tells that of its bent copy. */
          consistency: z.number().gt(0).max(100).optional(),
          /** What it costs the generator if images are alike that the latents alone set apart. */
          diversity: z.number().gt(0).max(1000).optional(),
          /** Category k is class k of the data's labels. */
          supervised: z.boolean(),
          /** The first code is the thickness of the strokes. */
          thickness: z.boolean(),
        })
        .optional(),
      equilibrium: z
        .strictObject({
          lambda: z.number().gt(0).max(1),
          gamma: z.number().gt(0).max(1),
          /** What the likeness of images of unlike latents costs the generator. */
          diversity: z.number().gt(0).max(1000).optional(),
        })
        .optional(),
      predictive: predictiveSchema.optional(),
      batch_size: whole.min(1).max(4096),
      epochs: count.optional(),
      steps: count.optional(),
      seed: whole.min(0),
      optimizer: z
        .strictObject({
          type: z.enum(['adam', 'sgd']),
          generator_lr: learningRate,
          discriminator_lr: learningRate,
          /** Of adam. */
          beta1: decay.optional(),
          beta2: decay.optional(),
        })
        .superRefine(({ type, ...rest }, context) => {
          for (const key of ['beta1', 'beta2'] as const) {
            if ((rest[key] === undefined) !== (type === 'sgd'))
              misplaced(context, key, rest[key], type === 'sgd', `the optimizer ${type}`);
          }
        }),
      /** `plateau`: after `patience` epochs without a better loss, the rate times `factor`. */
      schedule: z
        .strictObject({
          type: z.enum(['plateau']),
          factor: z.number().gt(0).lt(1),
          patience: whole.min(0).max(1_000_000),
        })
        .nullable()
        .default(null),
    })
    .refine(({ epochs, steps }) => (epochs === undefined) !== (steps === undefined), LENGTH)
    .superRefine((training, context) => {
      const { method = 'adversarial' } = training;
      for (const key of METHOD_KEYS) {
        const { needs, takes }: Record<string, readonly MethodKey[]> = OWN_KEYS[method];
        const there = training[key] !== undefined;
        const fits = there ? [...needs, ...takes].includes(key) : !needs.includes(key);
        if (!fits) misplaced(context, key, training[key], there, `the method ${method}`);
      }
      const { loss = '', label_smoothing: smoothing = 0 } = training;
      if (smoothing > 0 && LOSSES[loss]?.smoothing === false) {
        const message = `0 with the loss ${loss}, which gives real images no label`;
        context.addIssue({ code: 'custom', path: ['label_smoothing'], message, input: smoothing });
      }
      const { batch_size: input, information } = training;
      if (information?.diversity && input % 2 === 1) {
        const message = 'even with information.diversity, which compares the halves of a batch';
        context.addIssue({ code: 'custom', path: ['batch_size'], message, input });
      }
    }),
  output: outputSchema,
});

export type Recipe = z.infer<typeof recipeSchema>;

/** More than any recipe needs; YAML's aliases make much of little. */
const MAX_TEXT = 100_000;

/**
 * Reads a recipe.
 *
 * @throws UserError that names the file, the line and the key, and says what is expected there
 */
export function parseRecipe(text: string, file: string): Recipe {
  const fail = (what: string): never => {
    throw new UserError(`${file}${what}.`);
  };
  if (text.length > MAX_TEXT) fail(` has ${text.length} characters, too many for a recipe`);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
  });
  const lineOf = (offset: number) => lines.linePos(offset).line;
  const [broken] = [...document.errors, ...document.warnings];
  if (broken) fail(`, line ${lineOf(broken.pos[0])}: this is not valid YAML: ${reasonOf(broken)}`);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    fail(` is not valid YAML: ${reasonOf(error)}`); // aliases: unknown ones, or far too many
  }
  if (value === null || value === undefined) fail(' is empty; a recipe has at least a name');
  return checkRecipe(value, (path) => {
    const line = `${file}, line ${lineOf(offsetOf(document, path))}`;
    return path.length > 0 ? `${line}: ${dotted(path)}` : `${line}: the recipe`;
  });
}

/** Where the key that a path ends with begins, or the nearest one above it that is there. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const key = isMap(parent) ? parent.items.find((pair) => String(pair.key) === last)?.key : null;
    const node = key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

/**
 * Checks what a recipe says; `place` names a key the way the user gave it.
 *
 * @throws UserError for the first thing that is wrong
 */
export function checkRecipe(value: unknown, place: (path: Path) => string = dotted): Recipe {
  const { data, error } = recipeSchema.safeParse(value, { error: expectation, reportInput: true });
  if (error) throw new UserError(recipeProblem(error.issues, place, recipeSchema));
  const { network } = data.model;
  if (data.training.gradient_penalty && data.model.batch_norm) {
    throw new UserError(
      `${place(['model', 'batch_norm'])} must be false with a gradient penalty, which takes each image's score to depend on that image alone.`,
    );
  }
  checkFragment(data, place);
  checkRollback(data, place);
  const pair = networksOf(data);
  const made = pair.generator.outputShape;
  for (const [axis, key] of (['height', 'width', 'channels'] as const).entries()) {
    if (data.data[key] !== made[axis]) {
      const where = place(['data', key]);
      throw new UserError(
        `${where} must be ${made[axis]} for the network ${network}, found ${data.data[key]}.`,
      );
    }
  }
  checkNetwork(data, pair, place);
  return data;
}
