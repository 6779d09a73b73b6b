/** What a recipe can say about a Generative Predictive Network. */
import * as z from 'zod';
import type { Alteration } from '../data/fragments/alterations.js';
import { count, sha256, size, weight, whole } from '../recipe/keys/values.js';
import { DECEPTION_LOSSES } from '../steps/predictive.js';
import { inputNoiseKey } from './shared.js';

const NO_NEGATIVE = { error: 'a list of one kind or more besides generated' };
const share = weight.optional();

const negatives = z
  .strictObject({
    noise: share.describe('Weight of fragments whose internal part is uniform noise.'),
    blur: share.describe('Weight of fragments whose internal part has noise of up to 0.2 added.'),
    mismatch: share.describe('Weight of fragments with the internal part of another image.'),
    gaussian: share.describe('Weight of fragments whose internal part is blurred.'),
    copy: share.describe('Weight of fragments with another part of the same image.'),
    resample: share.describe('Weight of fragments whose internal part is scaled about its middle.'),
    shrink: share.describe(
      'Weight of fragments whose internal part is scaled down about its middle.',
    ),
    grain: share.describe('Weight of fragments with normal noise added.'),
    color: share.describe('Weight of fragments whose channels are stretched and shifted.'),
    jpeg: share.describe('Weight of fragments compressed as by JPEG of low quality.'),
    turn: share.describe('Weight of fragments whose internal part is turned by 30° to 330°.'),
    bend: share.describe('Weight of fragments whose internal part is bent.'),
    shuffle: share.describe('Weight of fragments with the quarters in another order.'),
    generated: share.describe(
      'Weight of fragments of the generator’s images, from the second round on.',
    ),
  } satisfies Record<Alteration | 'generated', z.ZodType>)
  .refine(({ generated: _, ...rest }) => Object.values(rest).some((w) => w), NO_NEGATIVE);

const settingsSchema = z.strictObject({
  negatives: negatives.describe(
    'The kinds of altered fragments, each with its weight relative to a real one’s 1.',
  ),
  region: z
    .strictObject({
      smallest: size.describe('Least length of its sides, in pixels.'),
      largest: size.describe('Greatest length of its sides, in pixels.'),
      smooth: z.number().min(0).max(1).describe('Share of ellipses with smooth edges.'),
      beside: share.describe(
        'Weight of fragments with a region that does not cover the internal part, which count as real.',
      ),
    })
    .refine(({ smallest, largest }) => smallest <= largest, {
      error: 'one whose smallest is at most its largest',
    })
    .optional()
    .describe(
      'Alter a rectangle or ellipse that covers the internal part, or lies in it, and may reach into the frame, instead of exactly the internal part. What changes nothing to be seen does not count.',
    ),
  patches: z
    .strictObject({
      internal: size.describe(
        'Side of the part of a patch in which the internal parts of its fragments lie, in pixels.',
      ),
      regions: whole
        .min(1)
        .max(64)
        .describe('Altered regions of a patch: from none to so many, each number as often.'),
      turned: z
        .boolean()
        .optional()
        .describe('Whether images are shown in any of their eight orientations.'),
    })
    .optional()
    .describe(
      'Learn from patches of images, in which the discriminator judges every fragment at once, as far apart as the strides of its network: they share their work. A batch is of so many patches; the weights of `negatives` say how often each is chosen. It needs `region`, and a detector.',
    ),
  r1: weight
    .optional()
    .describe(
      'Weight γ of the penalty γ/2 · ‖∇D‖² on the scores of real fragments (R1), which makes maps smoother; without it there is none.',
    ),
  detector: z
    .boolean()
    .optional()
    .describe(
      'Whether the discriminator is what is wanted: `gpn-cli train` then trains it alone, and calibrates it on the test images.',
    ),
  inverse: z.boolean().describe('Whether every image is shown as its inverse, too.'),
  fragments_per_image: count.describe(
    'Fragments, or patches, cut from each image in an epoch of the discriminator.',
  ),
  generator_fragments: whole
    .min(1)
    .max(4096)
    .describe('Fragments of each generated image that are judged.'),
  generator_batches: count.describe('Batches of an epoch of the generator.'),
  generator_loss: z
    .enum(Object.keys(DECEPTION_LOSSES) as (keyof typeof DECEPTION_LOSSES)[])
    .describe(
      '`sigmoid`: of the logit of “fake”; `modified`: −log of the probability of “real”, which does not fade if the discriminator is sure.',
    ),
  diversity: weight
    .optional()
    .describe(
      'Weight of the likeness of images whose latents differ, relative to a fragment’s loss; 0 unless given.',
    ),
  rounds: whole
    .min(1)
    .max(100_000)
    .describe('How often the two take turns; their steps are divided among the rounds.'),
});

const RISING = { error: 'a list that begins with 1 and rises' };
const scales = z
  .array(whole.min(1).max(64))
  .min(2)
  .max(16)
  .refine(
    (list) => list.every((scale, k) => (k === 0 ? scale === 1 : scale > (list[k - 1] as number))),
    RISING,
  );

/** The keys of a recipe of a Generative Predictive Network. */
export const keys = {
  training: {
    predictive: settingsSchema.describe('How a Generative Predictive Network learns.'),
    ...inputNoiseKey,
  },
  model: {
    fragment: z
      .strictObject({
        internal: size.describe('Side of the part that may be altered, in pixels.'),
        frame: whole.min(0).max(256).describe('Width of the context around it, in pixels.'),
        stride: size
          .optional()
          .describe(
            'Pixels from one fragment to the next in the maps of the exported discriminator, 1 unless given: 1, 2, 4 or more, up to the product of the strides of its network. Twice the stride is a quarter of the work.',
          ),
        orientations: z
          .literal([2, 4, 8])
          .optional()
          .describe(
            'In how many of its orientations the exported detector judges a picture, averaging their scores: 2 with the transposed one, 4 with both mirrored, 8 with all upside down. Each takes as much time; 1 alone unless given.',
          ),
        scales: scales
          .optional()
          .describe(
            'By how much pictures are reduced, by averages, before a detector’s fragments are cut from them: 1, and one or more larger ones. One network judges the fragments of all, and a map fuses them. 1 alone unless given.',
          ),
      })
      .describe('The fragments that the discriminator takes.'),
    from: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe(
        'A trained detector whose weights the training starts with in place of drawn ones: the name of a bundled one, or an .onnx file, relative to the recipe’s file. Its fragments and its convolutions must be those of the recipe, and its batch normalisation is part of its weights: `batch_norm` is false.',
      ),
    from_sha256: sha256
      .optional()
      .describe('SHA-256 of that file; another one is refused. A run records it.'),
  },
};
