/** What a reader of an evaluation should know besides its figures. */
import { type ImageInfo, PREPARATION, type Preparation } from '@gpn/runtime';
import type { Extractor } from '../judge/extractor.js';
import type { RealData } from './image-sets.js';
import type { Protocol } from './protocol.js';

/** With fewer images than this, the bias of a Fréchet distance is large (Chong & Forsyth 2020). */
const ENOUGH = 2048;

/** What there is to say of a protocol's data and features. */
export function notesOf({ samples, features, data }: Protocol, { part, name }: RealData): string[] {
  const least = Math.min(samples, data.count);
  return [
    !features &&
      `There is no judge for ${name}, so nothing is measured by features: --features takes one that gpn-cli judge has trained on labelled images, or another ONNX file.`,
    features &&
      least <= features.size &&
      `The covariance of ${least} images over ${features.size} features is singular: the Fréchet distance is defined, but far too large.`,
    features &&
      least > features.size &&
      least < ENOUGH &&
      `A Fréchet distance of ${least} images is biased upwards; the kernel distance is not.`,
    part === 'halves' &&
      `${name} has no test set: generated images are compared with one half of it, which generators may have been trained on; "real" is the other half.`,
  ].filter((note) => typeof note === 'string');
}

const shown = ({ fit, background }: Preparation): string =>
  `${fit} on #${Buffer.from(background).toString('hex')}`;

/** A note if a judge learnt from pictures that were cut otherwise, or laid on another background. */
export function preparedOtherwise(
  judge: Pick<Extractor, 'identity' | 'preparation'> | undefined,
  { preparation = PREPARATION }: Pick<ImageInfo, 'preparation'>,
): string[] {
  if (!judge?.preparation || shown(judge.preparation) === shown(preparation)) return [];
  return [
    `${judge.identity.name} learnt from pictures prepared by ${shown(judge.preparation)}, and these are prepared by ${shown(preparation)}: gpn-cli judge RECIPE makes a judge of the same pictures as a training.`,
  ];
}
