/** The sentinel detects a collapsed generator: one that draws only a part of the data's variety. */
import type { CollapseAction } from '../recipe/keys/output.js';
import type { Measures } from './evaluation.js';

/** The distances by which generators are ranked: the first that is measured. */
const RANKING = ['frechet', 'sliced'] as const;

/** A step, and its distance. */
export interface Ranked extends Readonly<Partial<Record<(typeof RANKING)[number], number>>> {
  readonly step: number;
}

/** What is kept from one evaluation of a run to the next; a part of its checkpoints. */
export interface Watch {
  /** Whether any evaluation has found varied images. */
  readonly varied: boolean;
  /** The evaluation with the lowest distance, except those of a collapsed generator. */
  readonly best: Ranked | null;
  /** The highest recall so far. */
  readonly recall: number;
  /** Number of rollbacks to the best checkpoint. */
  readonly rollbacks: number;
}

/** The state before the first evaluation. */
export const startWatch: Watch = { varied: false, best: null, recall: 0, rollbacks: 0 };

/** The limits beyond which a measure is a sign of collapse; docs/guides/watch-a-training.md gives the reasons. */
export const LIMITS = {
  /** The pixel deviation is less than this share of that of real images. */
  deviation: 0.25,
  /** The share of images with duplicates exceeds that of the data by more than this. */
  duplicates: 0.5,
  /** The share of one class is more than this, and less than half of this in the data. */
  oneClass: 0.9,
  /** Recall is less than this share of the highest so far … */
  recall: 0.25,
  /** … and the highest is at least this. Before, the generator has not learnt enough to lose it. */
  learnt: 0.2,
} as const;

/**
 * Signs that all images are alike. Some generators start like this, so in the first epoch these signs
 * are ignored until images have been varied once.
 */
function signsOfSameness(now: Measures, real: Measures): [boolean, string][] {
  return [
    [
      now.deviation < LIMITS.deviation * real.deviation,
      `images hardly differ (their pixels deviate by ${now.deviation.toFixed(3)}, those of real ones by ${real.deviation.toFixed(3)})`,
    ],
    [
      now.duplicates > LIMITS.duplicates + real.duplicates,
      `${percent(now.duplicates)} of the images have a twin`,
    ],
  ];
}

/**
 * The signs of collapse in an evaluation, to embed in a sentence; empty for a healthy generator.
 * @param real the measures of real images
 * @param watch the state before this evaluation
 * @param epoch number of completed epochs
 * @param names of the classes
 */
export function signsOfCollapse(
  now: Measures,
  real: Measures,
  { varied, recall: highest }: Watch,
  epoch: number,
  names: readonly string[] = [],
): string[] {
  const learnt = highest >= LIMITS.learnt;
  const most = now.classes?.indexOf(Math.max(...now.classes)) ?? 0;
  const [share, expected] = [now.classes?.[most] ?? 0, real.classes?.[most] ?? 0];
  const signs: [boolean, string][] = [
    ...(varied || epoch >= 1 ? signsOfSameness(now, real) : []),
    [
      learnt && share > LIMITS.oneClass && expected < LIMITS.oneClass / 2,
      `${percent(share)} of the images are of the class ${names[most] ?? most}`,
    ],
    [
      learnt && (now.recall ?? 1) < LIMITS.recall * highest,
      `recall has fallen from ${highest.toFixed(2)} to ${(now.recall ?? 1).toFixed(2)}`,
    ],
  ];
  return signs.filter(([seen]) => seen).map(([, text]) => text);
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/**
 * The state after an evaluation. An evaluation with signs of collapse is never the best. Neither is the
 * first one, which is made before the generator has learnt anything, nor one before images are varied.
 * @param before undefined at the first evaluation
 */
export function watchOn(
  before: Watch | undefined,
  step: number,
  now: Measures,
  real: Measures,
  signs: readonly string[],
): Watch {
  const watch = before ?? startWatch;
  if (signs.length > 0) return watch;
  const { recall = 0 } = now;
  const varied = watch.varied || signsOfSameness(now, real).every(([seen]) => !seen);
  const ranked = RANKING.find((name) => now[name] !== undefined);
  const distance = ranked ? now[ranked] : undefined;
  const lowest = (ranked && watch.best?.[ranked]) ?? Infinity;
  const better = before && varied && ranked && distance !== undefined && distance < lowest;
  return {
    varied,
    best: better ? { step, [ranked]: distance } : watch.best,
    recall: Math.max(watch.recall, recall),
    rollbacks: watch.rollbacks,
  };
}

/** Rollbacks at most; a training that collapses more often needs another recipe. */
const MOST_ROLLBACKS = 3;

/** What to do about a collapse, and the reason if this is not what the recipe asks for. */
export function actionOn(
  asked: CollapseAction,
  { best, rollbacks }: Watch,
): { action: CollapseAction; because?: string } {
  if (asked !== 'rollback') return { action: asked };
  if (!best) return { action: 'stop', because: 'there is no better checkpoint to go back to' };
  if (rollbacks < MOST_ROLLBACKS) return { action: 'rollback' };
  return { action: 'stop', because: `it has gone back ${rollbacks} times before` };
}
