/** Types of values in recipes, with their ranges. */
import * as z from 'zod';

/** A whole number. Zod's own message says "number" if the value is not a number. */
export const whole = z.int({
  error: ({ code }) => (code === 'invalid_type' ? 'a whole number' : undefined),
});
/** The height or width of images. */
export const sidePixels = whole.min(1).max(1024);
/** A number of steps, epochs or batches. */
export const count = whole.min(1).max(1_000_000_000);
/** What identifies a file. */
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: 'a SHA-256 in hex, 64 digits from 0 to f' });
/** A learning rate. */
export const learningRate = z.number().gt(0).max(1);
/** The size of a vector or square. */
export const size = whole.min(1).max(4096);
/**
 * Normal pictures that a detector is calibrated with, at least: with fewer, not even one false alarm in
 * twenty could be told from none.
 */
export const FEWEST_NORMAL = 19;
/** Updates of a network per step. */
export const ratio = whole.min(1).max(100);
/** The decay rate of a moving average. */
/** How much a term of a loss counts, relative to the others. */
export const weight = z.number().gt(0).max(1000);
export const decay = z.number().min(0).lt(1);
