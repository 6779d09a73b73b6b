/** Whether a generator has collapsed: whether it draws less than the data has to show. */
import type { CollapseAction } from '../recipe-output.js';
import type { Measures } from './evaluation.js';

/** What is remembered from one evaluation of a run to the next; a part of its checkpoints. */
export interface Watch {
  /** The evaluation with the lowest Fréchet distance, but for those of a collapsed generator. */
  readonly best: { readonly step: number; readonly frechet: number } | null;
  /** The highest recall so far. */
  readonly recall: number;
  /** How often the training has gone back to the best checkpoint. */
  readonly rollbacks: number;
}

export const startWatch: Watch = { best: null, recall: 0, rollbacks: 0 };

/** From where a measure is a sign; docs/watching.md says why there. */
export const LIMITS = {
  /** Pixels deviate by less than this share of what they do over real images. */
  variance: 0.25,
  /** More of the images than this have a twin, beyond those of the data. */
  duplicates: 0.5,
  /** One class makes up more than this of all images, and of the data less than half of this. */
  oneClass: 0.9,
  /** Recall is less than this share of the highest so far, … */
  recall: 0.25,
  /** … which was this at least: before, a generator has learnt too little to lose it. */
  learnt: 0.2,
} as const;

/**
 * The signs of collapse in an evaluation, as parts of a sentence; a healthy generator has none.
 * @param real what real images have
 * @param names of the classes
 */
export function signsOfCollapse(
  now: Measures,
  real: Measures,
  { recall: highest }: Watch,
  names: readonly string[] = [],
): string[] {
  const learnt = highest >= LIMITS.learnt;
  const most = now.classes?.indexOf(Math.max(...now.classes)) ?? 0;
  const [share, expected] = [now.classes?.[most] ?? 0, real.classes?.[most] ?? 0];
  const signs: [boolean, string][] = [
    [
      now.variance < LIMITS.variance * real.variance,
      `images hardly differ (their pixels deviate by ${now.variance.toFixed(3)}, those of real ones by ${real.variance.toFixed(3)})`,
    ],
    [
      now.duplicates > LIMITS.duplicates + real.duplicates,
      `${percent(now.duplicates)} of the images have a twin`,
    ],
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

/** What to remember after an evaluation; one with signs of collapse is never the best. */
export function watchOn(
  watch: Watch,
  step: number,
  { frechet, recall = 0 }: Measures,
  signs: readonly string[],
): Watch {
  if (signs.length > 0) return watch;
  const better = frechet !== undefined && frechet < (watch.best?.frechet ?? Infinity);
  return {
    ...watch,
    best: better ? { step, frechet } : watch.best,
    recall: Math.max(watch.recall, recall),
  };
}

/** A training that collapses again and again needs another recipe. */
const MOST_ROLLBACKS = 3;

/** What to do about a collapse, and why not what the recipe asks for, where that cannot be. */
export function actionOn(
  asked: CollapseAction,
  { best, rollbacks }: Watch,
): { action: CollapseAction; because?: string } {
  if (asked !== 'rollback') return { action: asked };
  if (!best) return { action: 'stop', because: 'there is no better checkpoint to go back to' };
  if (rollbacks < MOST_ROLLBACKS) return { action: 'rollback' };
  return { action: 'stop', because: `it has gone back ${rollbacks} times before` };
}
