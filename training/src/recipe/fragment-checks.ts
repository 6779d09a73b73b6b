/** Checks of what a recipe says about fragments: their sizes, and how a discriminator learns from them. */
import { patchStride } from '@gpn/models';
import { sideOf } from '../data/fragments/corners.js';
import type { Check } from './errors.js';
import type { Recipe } from './schema.js';

/** The side of the images, reduced by the largest scale. */
const leastSide = ({ height, width }: Recipe['data'], scales: readonly number[] = [1]): number =>
  Math.floor(Math.min(height, width) / Math.max(...scales));
const reducedNote = (scales?: readonly number[]): string =>
  scales ? ` reduced by ${Math.max(...scales)}` : '';

/** Networks that see the detail of a fragment beside its pixels. */
const DETAILED = ['gpn-detail', 'gpn-deep'];

type Predictive = Recipe['training']['predictive'];
/** Settings with which a discriminator cannot learn from patches, as the end of a sentence. */
const NO_PATCHES: readonly (readonly [
  string,
  (predictive: Predictive, fragment: Recipe['model']['fragment']) => boolean,
])[] = [
  ['without region, which says what is altered', (predictive) => !predictive?.region],
  [
    'unless detector is true and rounds is 1, because a generator is judged by single fragments',
    (predictive) => predictive?.detector !== true || predictive.rounds !== 1,
  ],
  ['with r1, which is of single fragments', (predictive) => predictive?.r1 !== undefined],
  ['with model.fragment.scales', (_, fragment) => fragment?.scales !== undefined],
];

/** In the order in which they run. */
export const FRAGMENT_CHECKS: readonly Check[] = [
  ({ model: { fragment }, training: { predictive } }) =>
    fragment?.scales !== undefined &&
    predictive?.detector !== true && {
      path: ['model', 'fragment', 'scales'],
      must: 'left out unless training.predictive.detector is true, because a generator is judged at one scale',
    },
  ({ model: { fragment }, training: { predictive } }) =>
    fragment?.orientations !== undefined &&
    (predictive?.detector !== true || (fragment.stride ?? 1) > 1) && {
      path: ['model', 'fragment', 'orientations'],
      must: 'left out unless training.predictive.detector is true and model.fragment.stride is 1, so that scores lie on each other',
    },
  ({ model: { from, batch_norm, spectral_norm }, training: { predictive } }) =>
    from !== undefined &&
    (predictive?.detector !== true || batch_norm || spectral_norm) && {
      path: ['model', 'from'],
      must: 'left out unless training.predictive.detector is true, and model.batch_norm and model.spectral_norm are false: a trained file has them in its weights',
    },
  ({ model: { network, fragment } }) =>
    DETAILED.includes(network) &&
    fragment !== undefined &&
    sideOf(fragment) < 3 && {
      path: ['model', 'fragment', 'frame'],
      must: `at least 1 with the network ${network}, which compares pixels with those around them`,
      found: fragment.frame,
    },
  ({ data, model: { fragment } }) => {
    const side = leastSide(data, fragment?.scales);
    return (
      fragment !== undefined &&
      fragment.internal > side && {
        path: ['model', 'fragment', 'internal'],
        must: `at most ${side}, the side of the images${reducedNote(fragment.scales)}`,
        found: fragment.internal,
      }
    );
  },
  ({ data, model: { fragment }, training: { predictive } }) => {
    const side = leastSide(data, fragment?.scales);
    const largest = predictive?.region?.largest ?? 0;
    return (
      largest > side && {
        path: ['training', 'predictive', 'region', 'largest'],
        must: `at most ${side}, the side of the images${reducedNote(fragment?.scales)}`,
        found: largest,
      }
    );
  },
  ({ model: { fragment }, training: { predictive } }) => {
    const [outside] = NO_PATCHES.filter(([, is]) => is(predictive, fragment));
    return (
      predictive?.patches !== undefined &&
      outside !== undefined && {
        path: ['training', 'predictive', 'patches'],
        must: `left out ${outside[0]}`,
      }
    );
  },
  ({ data, model: { fragment }, training: { predictive } }) => {
    const { internal } = predictive?.patches ?? {};
    const [least, most] = [fragment?.internal ?? 0, leastSide(data)];
    return (
      internal !== undefined &&
      (internal < least || internal > most) && {
        path: ['training', 'predictive', 'patches', 'internal'],
        must: `from ${least}, the internal part of a fragment, to ${most}, the side of the images`,
        found: internal,
      }
    );
  },
  ({ model: { network }, training: { predictive } }, pair) => {
    return (
      predictive?.patches !== undefined &&
      patchStride(pair().discriminator) === undefined && {
        path: ['training', 'predictive', 'patches'],
        must: `left out with the network ${network}, which judges one fragment at a time`,
      }
    );
  },
];
