/** How a discriminator scores normal pictures, as its file says. */
import { UserError } from '../errors.js';

/**
 * How suspicious normal pictures are, or their fragments: the largest suspicions one by one, and some of
 * the others. Suspicion is the score of an energy, and minus the score of all others.
 */
export interface NullDistribution {
  /** The number of all that were measured. */
  count: number;
  /** From the largest down. */
  suspicions: number[];
  /** The number of those measured that are at least as large as each of the suspicions. */
  ranks: number[];
}

/** How a discriminator scores normal pictures: what p-values are made of. */
export interface Calibration {
  /** The normal pictures, their number, and the pixels of the median one. */
  data: { name: string; pictures: number; pixels: number };
  /** Scores of fragments; of whole pictures, if the model takes those. */
  parts: NullDistribution;
  /** Of a discriminator of fragments: the suspicion of the most suspicious pixel of each picture. */
  worst?: NullDistribution;
}

const isAmount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

const isDistribution = ({ count, suspicions, ranks }: Partial<NullDistribution>): boolean =>
  isAmount(count) &&
  Array.isArray(suspicions) &&
  Array.isArray(ranks) &&
  ranks.length > 0 &&
  ranks.length === suspicions.length &&
  suspicions.every(Number.isFinite) &&
  ranks.every(isAmount);

/**
 * The calibration of a model, checked. These checks are not those of `checks.ts`, so that the pages that
 * only draw need not load them in a piece of their own.
 *
 * @throws UserError if it does not hold what it should
 */
export function checkedCalibration(calibration: Calibration, name: string): Calibration {
  const { data, parts, worst } = calibration ?? {};
  const valid =
    isAmount(data?.pictures) &&
    isAmount(data?.pixels) &&
    [parts ?? {}, worst ?? parts ?? {}].every(isDistribution);
  if (valid) return calibration;
  throw new UserError(
    `${name} has an invalid calibration: calibrate it again with gpn-cli calibrate.`,
  );
}
