/** The errors and notes of a training, as sentences. */
import type { Progress } from '../checkpoint/checkpoint.js';
import { isNamed } from '../data/sets/names.js';
import { usefulSteps } from '../recipe/keys/length.js';
import type { Recipe } from '../recipe/schema.js';

/** A collapse that stops a training. */
export interface Collapse {
  readonly signs: readonly string[];
  /** Why the training did not go back. */
  readonly because: string | undefined;
}

/** The error of a collapse; `saved` is the path of the last checkpoint. */
export const collapsed = (
  { signs, because }: Collapse,
  { step, watch }: Progress,
  saved: string,
): string =>
  `The generator has collapsed by step ${step}: ${signs.join('; ')}. ` +
  `The training has stopped${because ? ` because ${because}` : ''}; ${saved} keeps its state` +
  `${watch?.best ? `, and best.safetensors beside it that of step ${watch.best.step}, the best` : ''}. ` +
  'Lower the learning rates, the generator’s above all, and train again in another --out.';

/** Images until pictures of one's own take shape: emoji of 32 pixels did (docs/guides/your-own-images.md). */
const ENOUGH = 100_000;

/** The note of a generator's training on pictures of one's own that ends before they can take shape. */
export function tooShort({ data, training }: Recipe, steps: number): string | undefined {
  const shown = steps * training.batch_size;
  const { detector } = training.predictive ?? {};
  if (isNamed(data.dataset) || detector || shown >= ENOUGH) return undefined;
  const needed = Math.ceil(ENOUGH / training.batch_size);
  return (
    `${steps} steps show ${shown.toLocaleString('en')} images, which is enough for a trial only: things ` +
    `take shape from about ${ENOUGH.toLocaleString('en')} on. Give --steps ${needed} or more, or --minutes.`
  );
}

/** The note of a training that goes on after its pictures are known by heart. */
export function tooLong(recipe: Recipe, steps: number, count: number): string | undefined {
  const most = usefulSteps(recipe, count);
  if (most === undefined || steps <= most) return undefined;
  return (
    `${steps} steps show each of ${count.toLocaleString('en')} pictures ${shownTimes(recipe, steps, count)} times: without ` +
    `training.augmentation a discriminator knows them by heart sooner, and images get worse. Give --steps ${most}, or set it.`
  );
}

const shownTimes = ({ training }: Recipe, steps: number, count: number): number =>
  Math.round((steps * training.batch_size) / count);

/** The note of a training for a time in which its pictures would be known by heart. */
export const shortened = (fitting: number, most: number, count: number): string =>
  `${fitting} steps would fit, but ${most} are taken: without training.augmentation a discriminator then knows ` +
  `${count.toLocaleString('en')} pictures by heart, and images get worse. --steps takes more.`;

/** The note of a run that continues with another device, number of threads or version. */
export const moved = (from: string, to: string): string =>
  `Until now the run was computed on ${from}, from here on it is computed on ${to}: sums may be rounded ` +
  'differently, and then the run does not end with the same bytes as one that was never stopped.';

/** The error of a divergence; `saved` is the path of the last checkpoint. */
export const diverged = (step: number, saved: string | undefined): string =>
  `The losses are not finite at step ${step}: the training has diverged. ` +
  (saved
    ? `Give the same command with --resume --learning-rate-scale 0.5, which continues from ${saved} at half ` +
      'the learning rates; if that diverges too, start again in another --out with --learning-rate-scale 0.1.'
    : 'Nothing was saved before; start again at lower learning rates: with --learning-rate-scale 0.1, or in the recipe.');

/** The note of a run whose learning rates were changed by an option. */
export const rescaledFrom = ({ step, rate_scales = [] }: Progress): string => {
  const [last, all] = [rate_scales.at(-1)?.factor, rate_scales.reduce((x, of) => x * of.factor, 1)];
  const inAll = rate_scales.length > 1 ? `, by ${all} in all` : '';
  return `From step ${step} on the learning rates are multiplied by ${last}${inAll}; the checkpoints record it.`;
};

/** The note of a run that continues from an older checkpoint. */
export const skipped = (problems: readonly string[], path: string): string =>
  `${problems.join(' ')} The run continues from ${path}.`;

/** The note of a run whose log does not reach its checkpoint. */
export const without = (log: string, missing: string): string =>
  `${log} has no lines for the steps ${missing}, which its checkpoint has done: it was changed, or lost in a power cut.`;

/** The error of a log that another training has written. */
export const foreignLog = (log: string, path: string): string =>
  `${log} is not the log of the training that wrote ${path}, or its lines were changed: put the right one back, remove it (the run then continues without its curves), or give another --out.`;

/** The note of a run whose best checkpoint is gone. */
export const noBest = (path: string, step: number): string =>
  `${path} is not the checkpoint of step ${step}, the best so far: it is missing, damaged or of another training. The next good evaluation counts as the best.`;

/** The note of a run whose folder a dead process had locked. */
export const takenOver = (out: string, dead: readonly string[]): string =>
  `The training that held ${out} before (${dead.join(', ')}) has ended without giving it back: its lock was removed.`;

/** The files that a training goes on without, a line for each. */
export const leftOut = (unread: readonly { file: string; reason: string }[]): string =>
  unread.map(({ file, reason }) => `${file} ${reason}\n`).join('');
