/** What a recipe says of Generative Predictive Networks. */
import { UserError } from '@gpn/runtime';
import { z } from 'zod';
import type { Alteration } from '../data/fragments.js';
import { DECEPTION_LOSSES } from '../steps/predictive.js';
import type { Path } from './errors.js';
import { count, whole } from './fields.js';
import type { Recipe } from './schema.js';

const NEGATIVES = { error: 'a list of one kind or more besides generated' };
const weight = z.number().gt(0).max(1000);

export const predictiveSchema = z.strictObject({
  /** The kinds of altered fragments, and what each counts beside a real one's 1. */
  negatives: z
    .strictObject({
      noise: weight.optional(),
      blur: weight.optional(),
      mismatch: weight.optional(),
      gaussian: weight.optional(),
      /** Fragments of the generator's images, from the second round on. */
      generated: weight.optional(),
    } satisfies Record<Alteration | 'generated', z.ZodType>)
    .refine(({ generated: _, ...rest }) => Object.values(rest).some((w) => w), NEGATIVES),
  /** Take every image as its inverse too. */
  inverse: z.boolean(),
  /** Of the discriminator's epoch: how many fragments are cut from each image. */
  fragments_per_image: count,
  /** How many fragments of each generated image are judged, and how many batches are an epoch. */
  generator_fragments: whole.min(1).max(4096),
  generator_batches: count,
  generator_loss: z.enum(Object.keys(DECEPTION_LOSSES) as (keyof typeof DECEPTION_LOSSES)[]),
  /** What the likeness of images of unlike latents counts beside a fragment's loss. */
  diversity: z.number().gt(0).max(1000).optional(),
  /** How often the two take turns; their steps are divided among the rounds. */
  rounds: whole.min(1).max(100_000),
});

/** A discriminator of fragments goes with the method that is made for it. */
export function checkFragment(
  { data, model, training }: Recipe,
  place: (path: Path) => string,
): void {
  const { network, fragment } = model;
  const predictive = training.method === 'predictive';
  if (predictive !== network.startsWith('gpn')) {
    throw new UserError(
      `${place(['model', 'network'])} must be ${predictive ? 'gpn-mnist or gpn-mnist-large' : 'another than those of the method predictive'}, found ${network}.`,
    );
  }
  if (predictive !== (fragment !== undefined)) {
    throw new UserError(
      `${place(['model', 'fragment'])} must be ${predictive ? 'given with' : 'left out without'} the method predictive.`,
    );
  }
  const most = Math.min(data.height, data.width);
  if (fragment && fragment.internal > most) {
    throw new UserError(
      `${place(['model', 'fragment', 'internal'])} must be at most ${most}, the side of the images, found ${fragment.internal}.`,
    );
  }
}
