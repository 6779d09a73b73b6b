/** The length of a training. */

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
