/** The length of a training. */
import { isNamed } from '../../data/sets/names.js';

/** The number of steps: as the recipe gives it, or computed from its epochs. */
export const stepsFor = (
  { steps, epochs }: { readonly steps?: number | undefined; readonly epochs?: number | undefined },
  stepsPerEpoch: number,
): number => steps ?? (epochs ?? 0) * stepsPerEpoch;

/**
 * How often each picture can be shown before a discriminator that sees it unchanged knows it by heart, and
 * images get worse: emoji did, docs/results/emoji.md.
 */
const SHOWN = 120;

/**
 * The steps after which pictures are known by heart.
 * @param count of the pictures
 */
export const mostSteps = (count: number, batchSize: number): number =>
  Math.ceil((SHOWN * count) / batchSize);

/** What of a recipe says whether its pictures can be known by heart. */
interface Shown {
  readonly data: { readonly dataset: string };
  readonly training: {
    readonly method?: string | undefined;
    readonly augmentation?: unknown;
    readonly batch_size: number;
  };
}

/**
 * The steps that a training on pictures of one's own takes at most, unless it is told to: without
 * augmentation its discriminator then knows them by heart. Undefined for others.
 * @param count of the pictures
 */
export function usefulSteps({ data, training }: Shown, count: number): number | undefined {
  const { method = 'adversarial', augmentation, batch_size: batch } = training;
  if (isNamed(data.dataset) || augmentation || method !== 'adversarial') return undefined;
  return mostSteps(count, batch);
}
