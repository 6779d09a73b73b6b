/** Checks a calibration where it is used. */
import { UserError } from '../../errors.js';
import type { Calibration, NullDistribution } from '../../format/model-info.js';

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
