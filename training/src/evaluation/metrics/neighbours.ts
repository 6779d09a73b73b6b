/** Metrics of neighbourhoods: how much of each of two sets lies within the other. */
import { ballsAround, nearestNeighbours } from './pairs.js';
import type { Rows } from './rows.js';

/** A number for each image; the mean over them is the metric. */
export interface NeighbourScores {
  /** 1 for each generated image that lies in the ball around some real one, else 0. */
  readonly precision: Float32Array;
  /** 1 for each real image that lies in the ball around some generated one, else 0. */
  readonly recall: Float32Array;
  /** For each generated image, in how many balls around real ones it lies, over k: around 1. */
  readonly density: Float32Array;
  /** 1 for each real image whose own ball holds some generated one, else 0. */
  readonly coverage: Float32Array;
}

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al.
 * 2020). The ball around an image reaches to its k-th nearest neighbour in its own set.
 *
 * Precision falls when images look like no real one, recall when kinds of real images are not drawn.
 * Recall counts generated outliers with their large balls; coverage does not.
 *
 * @throws RangeError when a set has no more than k images
 */
export const neighbourScores = async (
  real: Rows,
  fake: Rows,
  k: number,
): Promise<NeighbourScores> => (await neighbourhood(real, k))(fake);

/** The same for several sets of generated images: what is of the real ones is computed once. */
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

/** The squared distance from each row to its k-th nearest among the others. */
async function radii(set: Rows, k: number): Promise<Float32Array> {
  // A row's nearest is itself.
  const { squared } = await nearestNeighbours(set, set, k + 1);
  return Float32Array.from({ length: set.count }, (_, i) => squared[i * (k + 1) + k] as number);
}
