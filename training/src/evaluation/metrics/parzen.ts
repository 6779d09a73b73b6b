/** The Parzen window log-likelihood, for comparison with old papers. */
import { squaredDistances } from './pairs.js';
import { average, type Rows, slice } from './rows.js';

/**
 * The log-likelihood of each test image, in nats, under Gaussian windows with standard deviation σ
 * around the generated images (Breuleux et al. 2011; Goodfellow et al. 2014). It says little about
 * image quality: blurred cluster means score higher than real samples (Theis et al. 2016).
 *
 * @param images generated images, pixels in [0, 1]
 */
export async function parzenLogLikelihood(
  images: Rows,
  tests: Rows,
  sigma: number,
): Promise<Float64Array> {
  const values = new Float64Array(tests.count);
  // In parts of a thousand, because ten thousand by ten thousand distances take 400 MB.
  for (let at = 0; at < tests.count; at += 1000) {
    const part = slice(tests, at, Math.min(tests.count, at + 1000));
    values.set(logLikelihoods(await squaredDistances(part, images), part, images, sigma), at);
  }
  return values;
}

function logLikelihoods(
  squared: Float32Array,
  tests: Rows,
  { count, size }: Rows,
  sigma: number,
): Float64Array {
  const normaliser = Math.log(count) + size * (Math.log(sigma) + Math.log(2 * Math.PI) / 2);
  return Float64Array.from({ length: tests.count }, (_, t) => {
    const row = squared.subarray(t * count, (t + 1) * count);
    let least = Number.POSITIVE_INFINITY;
    for (const d of row) least = Math.min(least, d);
    let sum = 0;
    for (const d of row) sum += Math.exp((least - d) / (2 * sigma * sigma));
    return Math.log(sum) - least / (2 * sigma * sigma) - normaliser;
  });
}

/**
 * The average log-likelihood with the σ that maximises that of the validation images.
 *
 * @returns the mean over the test images, its standard error, and σ
 */
export async function parzen(
  images: Rows,
  validation: Rows,
  tests: Rows,
  sigmas: readonly number[] = SIGMAS,
): Promise<{ value: number; error: number; sigma: number }> {
  const squared = await squaredDistances(validation, images);
  const ranked = sigmas
    .map((sigma) => ({
      sigma,
      value: average(logLikelihoods(squared, validation, images, sigma)),
    }))
    .sort((a, b) => b.value - a.value);
  const { sigma } = ranked[0] as { sigma: number };
  const values = await parzenLogLikelihood(images, tests, sigma);
  const value = average(values);
  const variance = values.reduce((s, x) => s + (x - value) ** 2, 0) / (values.length - 1);
  return { value, error: Math.sqrt(variance / values.length), sigma };
}

/** Twenty widths from 0.1 to 1, evenly spaced on a logarithmic scale. */
const SIGMAS = Array.from({ length: 20 }, (_, i) => 10 ** (i / 19 - 1));
