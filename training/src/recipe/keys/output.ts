/** The section `output` of a recipe: what a run writes and how it is watched. */
import * as z from 'zod';
import { count, whole } from './values.js';

/** What a training can do when its generator has collapsed. */
export const COLLAPSE_ACTIONS = ['warn', 'stop', 'rollback'] as const;
/** One of {@link COLLAPSE_ACTIONS}. */
export type CollapseAction = (typeof COLLAPSE_ACTIONS)[number];

/** The value of `evaluate_with` that takes no file. */
export const SLICED_ONLY = 'sliced';

/** The schema of the section. */
export const outputSchema = z
  .strictObject({
    samples_every: count.describe('Steps between pictures of samples.'),
    checkpoint_every: count.describe('Steps between checkpoints.'),
    sample_count: whole.min(1).max(4096).describe('Images of a picture of samples.'),
    evaluate_every: count
      .optional()
      .describe('Steps between evaluations of the generator; without it there are none.'),
    evaluate_samples: whole
      .min(100)
      .max(50_000)
      .optional()
      .describe('Images of an evaluation; 2,000 unless given.'),
    evaluate_with: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe(
        'What evaluations compare by: an ONNX file of `gpn-cli judge` or another feature extractor, relative to the recipe’s file, or `sliced`, the sliced Wasserstein distance of patches. Unless given, the judge of mnist and fashion, and `sliced` with other data.',
      ),
    on_collapse: z
      .enum(COLLAPSE_ACTIONS)
      .optional()
      .describe(
        'What to do when the generator has collapsed: `warn` (the default), `stop`, or `rollback` to the best checkpoint at half the learning rates.',
      ),
  })
  .superRefine((output, context) => {
    if (output.evaluate_every !== undefined) return;
    for (const key of ['evaluate_samples', 'evaluate_with', 'on_collapse'] as const) {
      if (output[key] === undefined) continue;
      const message = 'left out without evaluate_every, which says when to evaluate';
      context.addIssue({ code: 'custom', path: [key], message, input: output[key] });
    }
  });
