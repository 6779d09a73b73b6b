/** Metrics of nearest neighbours: how much of each of two sets lies within the other. */
import { ballsAround, nearestNeighbours } from './pairs.js';
import type { Rows } from './rows.js';

/** One value for each image; their mean is the metric. */
export interface NeighbourScores {
  /** 1 for each generated image that lies in the ball around a real one, otherwise 0. */
  readonly precision: Float32Array;
  /** 1 for each real image that lies in the ball around a generated one, otherwise 0. */
  readonly recall: Float32Array;
  /** For each generated image, the number of balls around real ones that contain it, over k; about 1. */
  readonly density: Float32Array;
  /** 1 for each real image whose own ball holds a generated one, otherwise 0. */
  readonly coverage: Float32Array;
}

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).
 * The ball around an image extends to its k-th nearest neighbour in its own set.
 *
 * Precision falls if images resemble no real one; recall falls if kinds of real images are not drawn.
 * The large balls of generated outliers can inflate recall, but not coverage.
 *
 * @throws RangeError if a set has k images or fewer
 */
export const neighbourScores = async (
  real: Rows,
  fake: Rows,
  k: number,
): Promise<NeighbourScores> => (await neighbourhood(real, k))(fake);

/** {@link neighbourScores} for several generated sets; the real balls are computed once. */
export async function neighbourhood(
  real: Rows,
  k: number,
): Promise<(fake: Rows) => Promise<NeighbourScores>> {
  const realRadii = await radii(real, k);
  return async (fake) => {
    const around = await ballsAround(fake, real, realRadii);
    const found = await ballsAround(real, fake, await radii(fake, k));
    return {
      precision: around.balls.map((balls) => Number(balls > 0)),
      recall: found.balls.map((balls) => Number(balls > 0)),
      density: around.balls.map((balls) => balls / k),
      coverage: found.squared.map((d, i) => Number(d < (realRadii[i] as number))),
    };
  };
}

/** The squared distance from each row to its k-th nearest neighbour among the others. */
async function radii(set: Rows, k: number): Promise<Float32Array> {
  // The nearest neighbour of a row is the row itself.
  const { squared } = await nearestNeighbours(set, set, k + 1);
  return Float32Array.from({ length: set.count }, (_, i) => squared[i * (k + 1) + k] as number);
}
