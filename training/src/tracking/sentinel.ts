/** Whether a generator has collapsed: whether it draws less than the data has to show. */
import type { CollapseAction } from '../recipe/keys/output.js';
import type { Measures } from './evaluation.js';

/** What is remembered from one evaluation of a run to the next; a part of its checkpoints. */
export interface Watch {
  /** Whether images have ever differed as real ones do. */
  readonly varied: boolean;
  /** The evaluation with the lowest Fréchet distance, but for those of a collapsed generator. */
  readonly best: { readonly step: number; readonly frechet: number } | null;
  /** The highest recall so far. */
  readonly recall: number;
  /** How often the training has gone back to the best checkpoint. */
  readonly rollbacks: number;
}

export const startWatch: Watch = { varied: false, best: null, recall: 0, rollbacks: 0 };

/** From where a measure is a sign; docs/watching.md says why there. */
export const LIMITS = {
  /** Pixels deviate by less than this share of what they do over real images. */
  deviation: 0.25,
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
 * Signs that all images are alike. Some generators begin so: for an epoch, they count only where
 * images have differed before.
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
 * The signs of collapse in an evaluation, as parts of a sentence; a healthy generator has none.
 * @param real what real images have
 * @param watch of the evaluations before
 * @param epoch how many are over
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
 * What to remember after an evaluation. One with signs of collapse is never the best; neither is the
 * first, before the generator has learnt anything, nor any before images differ.
 * @param before undefined at the first
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
  const { frechet = Infinity, recall = 0 } = now;
  const varied = watch.varied || signsOfSameness(now, real).every(([seen]) => !seen);
  const better = before && varied && frechet < (watch.best?.frechet ?? Infinity);
  return {
    varied,
    best: better ? { step, frechet } : watch.best,
    recall: Math.max(watch.recall, recall),
    rollbacks: watch.rollbacks,
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
