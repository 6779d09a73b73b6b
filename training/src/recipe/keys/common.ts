/** The keys of every recipe, whatever its method. The reference shows the same descriptions. */
import { type Initialization, NETWORKS } from '@gpn/models';
import { PREPARATION, type Preparation } from '@gpn/runtime/prepare';
import * as z from 'zod';
import type { outputSchema } from './output.js';
import { count, decay, learningRate, sha256, sidePixels, size, whole } from './values.js';

const INITIALIZATIONS = ['normal', 'xavier', 'kaiming'] as const satisfies Initialization[];

// An `error` is the rest of the sentence "KEY must be …"; the others are in ../errors.ts.
const NAME = { error: 'made of at most 64 letters, digits, dots, dashes and underscores' };
const RANGE = { error: 'the list [0, 1] or [-1, 1]' };
const COLOR = { error: 'a colour of six hexadecimal digits, such as "#ffffff"' };
const NETWORK = { error: 'the name of bundled networks, or the path of a file' };
const CLASS = { error: 'the name of a class or a digit' };

/** The keys at the top of a recipe, outside its sections. */
export const nameKeys = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, NAME)
    .describe('Name of the recipe and of the networks that it trains.'),
  description: z.string().max(2000).default('').describe('What it trains, for people.'),
};

/** The section `data`. */
export const dataSchema = z.strictObject({
  dataset: z
    .string()
    .min(1)
    .max(4096)
    .describe('`mnist`, `fashion`, `stacked-mnist`, or a folder, relative to the recipe’s file.'),
  height: sidePixels.describe('Height of the images in pixels.'),
  width: sidePixels.describe('Width of the images in pixels.'),
  channels: z
    .literal([1, 3, 4])
    .describe('1 for grey images, 3 for colour, 4 for colour with alpha (sprites, icons).'),
  range: z
    .tuple([z.number(), z.number()], RANGE)
    .refine(([low, high]) => high === 1 && (low === 0 || low === -1), RANGE)
    .describe('What the pixel values 0 and 255 become for the networks.'),
  flip: z
    .boolean()
    .optional()
    .describe('Whether half of the images, drawn at each step, are shown as in a mirror.'),
  classes: z
    .array(z.union([z.string(), whole], CLASS))
    .min(1)
    .max(256)
    .optional()
    .describe('Train with the images of these classes only.'),
  fit: z
    .enum(['cover', 'contain'])
    .optional()
    .describe(
      'How a picture of another shape becomes an image: `cover` (the default) cuts out its middle, `contain` shows all of it on the background.',
    ),
  crops: whole
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'How many images are cut out of each picture of a folder at its own size, instead of making one of it; only with the method predictive.',
    ),
  held_out: count
    .optional()
    .describe(
      'So many pictures of a folder are not trained with. A detector is measured and calibrated with them, 19 at least; only with the method predictive, and for a folder without a test set.',
    ),
  background: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, COLOR)
    .optional()
    .describe('The colour behind transparent pixels, such as `"#ffffff"`; black unless given.'),
  skip_unreadable: z
    .boolean()
    .optional()
    .describe(
      'Goes on without the pictures that cannot be read, and lists them in the run’s folder; otherwise they are an error.',
    ),
});

/** How a recipe makes images of pictures. */
export const preparationOf = ({
  fit = PREPARATION.fit,
  background = '#000000',
}: Pick<z.infer<typeof dataSchema>, 'fit' | 'background'>): Preparation => {
  const level = (at: number) => Number.parseInt(background.slice(at, at + 2), 16);
  return { ...PREPARATION, fit, background: [level(1), level(3), level(5)] };
};

/** The keys of the section `model` that all methods have. */
export const modelKeys = {
  network: z
    .union([z.enum(Object.keys(NETWORKS)), z.string().min(1).max(4096)], NETWORK)
    .describe(
      'The pair of networks: a bundled one, or the path of a JavaScript file of your own, relative to the recipe’s file, whose code is run.',
    ),
  network_sha256: sha256
    .optional()
    .describe('SHA-256 of that file; another one is refused. A run records it.'),
  width: size
    .optional()
    .describe(
      'Channels of the largest hidden layer, with the networks `dcgan` and `resnet` (unless given, few for small images), or of the first stage of `gpn-deep` (24).',
    ),
  latent: z
    .strictObject({
      size: whole.min(1).max(4096).describe('How many random numbers make an image.'),
      distribution: z
        .enum(['uniform', 'normal'])
        .describe('`uniform`: from −1 to 1; `normal`: mean 0, standard deviation 1.'),
    })
    .describe('The random vector that the generator turns into an image.'),
  classes: size
    .optional()
    .describe('Number of classes whose labels both networks are given; without it, none.'),
  spectral_norm: z.boolean().describe('Spectral normalisation in the discriminator.'),
  batch_norm: z.boolean().describe('Batch normalisation in the discriminator.'),
  initialization: z.enum(INITIALIZATIONS).describe('How weights start.'),
};

const optimizer = z
  .strictObject({
    type: z.enum(['adam', 'sgd']).describe('The optimiser of both networks.'),
    generator_lr: learningRate.describe('Learning rate of the generator.'),
    discriminator_lr: learningRate.describe('Learning rate of the discriminator.'),
    beta1: decay.optional().describe('Decay of Adam’s first moment; only with adam.'),
    beta2: decay.optional().describe('Decay of Adam’s second moment; only with adam.'),
  })
  .superRefine(({ type, ...rest }, context) => {
    for (const key of ['beta1', 'beta2'] as const) {
      if ((rest[key] === undefined) !== (type === 'sgd'))
        misplaced(context, [key], rest[key], type === 'sgd', `the optimizer ${type}`);
    }
  });

/** The keys of a schedule that belong to one of its types, and whether that type requires them. */
const SCHEDULE_KEYS = {
  plateau: { patience: true },
  cosine: { steps: false, penalty_factor: false, noise_factor: false, beta2: false },
} as const;

const schedule = z
  .strictObject({
    type: z
      .enum(['plateau', 'cosine'])
      .describe(
        '`plateau` lowers the rates when the loss stops improving; `cosine` lowers them by half a cosine.',
      ),
    factor: z
      .number()
      .gt(0)
      .lt(1)
      .describe('What the rates are multiplied by: each time (plateau), or in the end (cosine).'),
    patience: whole
      .min(0)
      .max(1_000_000)
      .optional()
      .describe(
        'Epochs without a better mean loss before the rates are lowered; only with plateau.',
      ),
    steps: count
      .optional()
      .describe(
        'Steps over which values change; then they stay. Only with cosine, the whole training unless given.',
      ),
    penalty_factor: z
      .number()
      .gt(0)
      .max(1000)
      .optional()
      .describe(
        'What `r1` and `r2` are multiplied by in the end; only with cosine, 1 unless given.',
      ),
    noise_factor: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        'What `input_noise` is multiplied by in the end; only with cosine, 1 unless given.',
      ),
    beta2: decay
      .optional()
      .describe(
        'What `optimizer.beta2` becomes in the end; only with cosine, unchanged unless given.',
      ),
  })
  .superRefine(({ type, ...rest }, context) => {
    for (const [kind, keys] of Object.entries(SCHEDULE_KEYS))
      for (const [key, required] of Object.entries(keys)) {
        const there = rest[key as keyof typeof rest] !== undefined;
        const fits = kind === type ? there || !required : !there;
        if (!fits)
          misplaced(context, [key], rest[key as keyof typeof rest], there, `the schedule ${type}`);
      }
  });

/** The keys of the section `training` that all methods have. */
export const trainingKeys = {
  generator_average: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'Keeps a moving average of the generator’s weights, with this share of the old value at each step, and exports that.',
    ),
  average_ramp: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'Lets the moving average reach back over at most this share of the steps so far, so that it soon forgets the untrained generator; only with `generator_average`.',
    ),
  batch_size: whole.min(1).max(4096).describe('Images of a step.'),
  epochs: count.optional().describe('Passes over the data; either this or `steps`.'),
  steps: count.optional().describe('Training steps; either this or `epochs`.'),
  seed: whole.min(0).describe('The seed of weights, noise and order.'),
  optimizer: optimizer.describe('How the weights follow the gradients.'),
  schedule: schedule
    .nullable()
    .default(null)
    .describe('How learning rates change; null keeps them.'),
};

/** A recipe without the keys of its method. */
export interface CommonRecipe extends z.infer<z.ZodObject<typeof nameKeys>> {
  readonly data: z.infer<typeof dataSchema>;
  readonly model: z.infer<z.ZodObject<typeof modelKeys>>;
  readonly training: z.infer<z.ZodObject<typeof trainingKeys>>;
  readonly output: z.infer<typeof outputSchema>;
}

/**
 * Reports a key that is given but must be left out, or the reverse.
 * @param there whether it is given
 * @param what the setting that requires this, for example `the method began`
 */
export function misplaced(
  context: z.core.$RefinementCtx,
  path: PropertyKey[],
  input: unknown,
  there: boolean,
  what: string,
): void {
  const message = there ? `left out with ${what}` : `given with ${what}`;
  context.addIssue({ code: 'custom', path, message, input });
}
