/**
 * What the file of a trained network says about itself. A part follows from the recipe, which the file of
 * a step can carry into a page; the rest comes with the training. Nothing here knows of Node.
 */
import type { ModelInfo } from '@gpn/runtime';
import type { Progress } from '../checkpoint/checkpoint.js';
import type { State } from '../engine/types.js';
import type { Recipe } from '../recipe/schema.js';

/** One of the two networks of a GAN. */
export type Role = 'generator' | 'discriminator';

/** What a network says about itself before it is trained. */
export type NetworkDraft = Omit<ModelInfo, 'training' | 'quality'>;

/** What identifies the software and the recipe in exported networks. */
export interface Provenance {
  /** The hash of the recipe; see `recipeHash`. */
  readonly hash: string;
  /** The versions of the software, by package. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The description of a trained network. */
export function trainedInfo(
  draft: NetworkDraft,
  { model, training }: Recipe,
  progress: Progress,
  { hash, versions }: Provenance,
): ModelInfo {
  const { condition } = draft;
  const { name, hash: data, classes } = progress.dataset;
  const named = model.classes ?? training.information?.supervised;
  const names = named && classes?.length === condition?.classes ? classes : undefined;
  return {
    ...draft,
    ...(condition && { condition: { ...condition, ...(names && { names }) } }),
    training: {
      recipe: hash,
      dataset: { name, hash: data },
      steps: progress.step,
      epochs: progress.epochs,
      seed: training.seed,
      ...(progress.rate_scales && { learning_rate_scales: progress.rate_scales }),
      versions: { ...versions },
    },
    ...(draft.kind !== 'generator' && progress.quality && { quality: progress.quality }),
  };
}

/** Where a state has what a network is exported with. */
export function pathsOf(state: State, role: Role) {
  const average = `${role}/average`;
  const averaged = Object.keys(state).some((name) => name.startsWith(`${average}/`));
  return {
    params: averaged ? average : `${role}/params`,
    /** Running statistics; those of an average are measured. */
    buffers: `${role}/buffers`,
    averaged,
  };
}
