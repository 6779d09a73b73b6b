/** What normal pictures look like to a discriminator, so that its scores become p-values. */
import {
  type Calibration,
  type Discriminator,
  nullOf,
  type Picture,
  type ScoreMeaning,
  suspicionMap,
  suspicionOf,
  UserError,
} from '@gpn/runtime';
import { FEWEST_NORMAL } from '../../recipe/keys/values.js';

/** Normal pictures, none of which the discriminator was trained with. */
export interface NormalPictures {
  readonly name: string;
  readonly count: number;
  /** The picture number `k`, and what to call it in an error. */
  at(k: number): Promise<{ picture: Picture; label: string }>;
}

/** Fragments that are taken of each picture at each scale, evenly over all of it: what is left adds little. */
const FRAGMENTS = 20_000;

/**
 * Scores normal pictures.
 *
 * @param onProgress called after each picture
 * @throws UserError if there are fewer than 19 pictures, naming the picture that cannot be scored, or if
 *   the model needs labels
 */
export async function calibrate(
  discriminator: Discriminator,
  normal: NormalPictures,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Calibration> {
  const { name, count } = normal;
  const { fragment, condition } = discriminator.info;
  if (condition) {
    throw new UserError(
      `${discriminator.info.name} scores a picture together with its class, so it cannot be calibrated.`,
    );
  }
  checkEnough(normal);
  const parts: Float32Array[] = [];
  const worst: number[] = [];
  const pixels: number[] = [];
  for (let k = 0; k < count; k++) {
    const { picture, label } = await normal.at(k);
    try {
      const { part, most } = await suspicions(discriminator, picture);
      if (!part.every(Number.isFinite)) throw new UserError('its scores are not numbers.');
      parts.push(part);
      worst.push(most);
      pixels.push(picture.width * picture.height);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${label} cannot be calibrated with: ${error.message}`);
    }
    onProgress(k + 1, count);
  }
  const middle = pixels.sort((a, b) => a - b)[count >> 1] as number;
  return {
    data: { name, pictures: count, pixels: middle },
    parts: nullOf(joined(parts)),
    ...(fragment && { worst: nullOf(Float64Array.from(worst)) }),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @throws UserError if there are fewer than 19 pictures */
export function checkEnough({ name, count }: Pick<NormalPictures, 'name' | 'count'>): void {
  if (count >= FEWEST_NORMAL) return;
  throw new UserError(
    `${name} has ${count} ${count === 1 ? 'picture' : 'pictures'}, too few to calibrate with: the smallest ` +
      `p-value would be 1/${count + 1}. Give at least ${FEWEST_NORMAL}, and 99 for a threshold of 0.01.`,
  );
}

/** The suspicions of a picture's fragments, or of the picture, and that of its most suspicious pixel. */
async function suspicions(discriminator: Discriminator, picture: Picture) {
  const { fragment, scores } = discriminator.info;
  const suspect = (score: number) => suspicionOf(scores as ScoreMeaning, score);
  if (!fragment) {
    const { values } = await discriminator.scorePictures([picture]);
    const [score] = values.map(suspect);
    return { part: values.map(suspect), most: score as number };
  }
  const map = await discriminator.scoreMap(picture);
  const maps = [map, ...(map.coarser ?? [])].map(({ values }) => {
    const step = Math.max(1, Math.ceil(values.length / FRAGMENTS));
    return values.filter((_, k) => k % step === 0).map(suspect);
  });
  let most = Number.NEGATIVE_INFINITY;
  for (const value of suspicionMap(map, picture)) most = Math.max(most, value);
  return { part: joined(maps), most };
}
