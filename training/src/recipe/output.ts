/** What a recipe says of a run's folder, and of how the run is watched. */
import { UserError } from '@gpn/runtime';
import { z } from 'zod';
import type { Path } from './errors.js';
import { count, whole } from './fields.js';
import type { Recipe } from './schema.js';

/** What a training does when its generator has collapsed. */
export const COLLAPSE_ACTIONS = ['warn', 'stop', 'rollback'] as const;
export type CollapseAction = (typeof COLLAPSE_ACTIONS)[number];

export const outputSchema = z
  .strictObject({
    /** In steps, as is `checkpoint_every`. */
    samples_every: count,
    checkpoint_every: count,
    sample_count: whole.min(1).max(4096),
    /** In steps, how often the generator is evaluated; without it, it is not. */
    evaluate_every: count.optional(),
    /** Images of an evaluation; 2,000 unless given. */
    evaluate_samples: whole.min(100).max(50_000).optional(),
    /** `warn` unless given. */
    on_collapse: z.enum(COLLAPSE_ACTIONS).optional(),
  })
  .superRefine((output, context) => {
    if (output.evaluate_every !== undefined) return;
    for (const key of ['evaluate_samples', 'on_collapse'] as const) {
      if (output[key] === undefined) continue;
      const message = 'left out without evaluate_every, which says when to evaluate';
      context.addIssue({ code: 'custom', path: [key], message, input: output[key] });
    }
  });

/** @throws UserError where a training cannot go back */
export function checkRollback({ training, output }: Recipe, place: (path: Path) => string): void {
  if (output.on_collapse !== 'rollback' || training.method !== 'predictive') return;
  throw new UserError(
    `${place(['output', 'on_collapse'])} must be warn or stop with the method predictive, whose discriminator is not to go back with the generator.`,
  );
}
