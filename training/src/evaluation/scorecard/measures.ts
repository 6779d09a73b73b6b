/** The measures of a scorecard: their titles and how to read them. */

/** How a measure is shown and read. */
export interface Measure {
  readonly title: string;
  /** Which values are better; `real`: those closer to the value of real images. */
  readonly better: 'lower' | 'higher' | 'real';
  /** Decimals to show. */
  readonly digits: number;
  /** What it measures, in plain words. */
  readonly about: string;
}

/** All measures by name, in the order of a scorecard. */
export const MEASURES = {
  frechet: {
    title: 'Fréchet distance',
    better: 'lower',
    digits: 2,
    about:
      'how far the features of generated images are from those of real ones, as two normal distributions',
  },
  kernel: {
    title: 'kernel distance × 1000',
    better: 'lower',
    digits: 2,
    about:
      'the same without assuming a normal distribution, and unbiased: 0 on average for equal distributions',
  },
  precision: {
    title: 'precision',
    better: 'higher',
    digits: 3,
    about: 'the share of generated images that lie among real ones: quality',
  },
  recall: {
    title: 'recall',
    better: 'higher',
    digits: 3,
    about: 'the share of real images that lie among generated ones: variety',
  },
  density: {
    title: 'density',
    better: 'real',
    digits: 3,
    about: 'how densely real images lie around a generated one',
  },
  coverage: {
    title: 'coverage',
    better: 'higher',
    digits: 3,
    about: 'the share of real images that have a generated one in their own neighbourhood: variety',
  },
  classifierScore: {
    title: 'classifier score',
    better: 'real',
    digits: 2,
    about:
      'whether each image clearly shows one class and all classes are drawn; at most the number of classes',
  },
  classDivergence: {
    title: 'divergence of classes',
    better: 'lower',
    digits: 4,
    about:
      'whether classes are drawn as often as in the data; ln 10 = 2.3 if only one of ten is drawn',
  },
  agreement: {
    title: 'label agreement',
    better: 'higher',
    digits: 4,
    about: 'the share of images that the judge assigns to the class that was asked for',
  },
  categoryError: {
    title: 'error of categories',
    better: 'lower',
    digits: 4,
    about:
      'the share of real images whose category, learnt without labels, is not the one that stands for their class',
  },
  modes: {
    title: 'modes',
    better: 'higher',
    digits: 0,
    about:
      'of Stacked MNIST: how many of the 1,000 triples of digits are drawn, as the judge of MNIST reads them',
  },
  modeDivergence: {
    title: 'divergence of modes',
    better: 'lower',
    digits: 3,
    about:
      'how far their shares are from equal ones (KL, in nats); ln 1000 = 6.9 if only one is drawn',
  },
  sliced: {
    title: 'sliced Wasserstein distance × 1000',
    better: 'lower',
    digits: 2,
    about:
      'how far patches of 7 × 7 pixels are from those of real images, on average over the levels of a Laplacian pyramid; needs no judge',
  },
  diversity: {
    title: 'diversity',
    better: 'real',
    digits: 2,
    about: 'the mean distance between the features of two images of the set',
  },
  duplicates: {
    title: 'duplicates',
    better: 'lower',
    digits: 3,
    about: 'the share of generated images that have a twin among the others',
  },
  copies: {
    title: 'copies',
    better: 'lower',
    digits: 3,
    about: 'the share of generated images that are copies of training images',
  },
  deviation: {
    title: 'pixel deviation',
    better: 'real',
    digits: 3,
    about:
      'the standard deviation over 200 images, averaged over pixels; 0 if all images are the same',
  },
  trained: {
    title: 'train on generated, test on real',
    better: 'higher',
    digits: 4,
    about: 'the accuracy on real images of a classifier that was trained on generated ones only',
  },
  parzen: {
    title: 'Parzen log-likelihood',
    better: 'higher',
    digits: 1,
    about: 'to compare with old papers; easily gamed',
  },
} as const satisfies Readonly<Record<string, Measure>>;

/** The name of a measure. */
export type MeasureName = keyof typeof MEASURES;
