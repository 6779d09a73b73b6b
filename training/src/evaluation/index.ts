export { type BootstrapOptions, bootstrap, type Interval, meanInterval } from './bootstrap.js';
export { duplicates, type Memorised, memorised, SAME } from './copies.js';
export { generatorVariance, pairDistances } from './diversity.js';
export {
  frechetDistance,
  frechetWithInterval,
  isSingular,
  type Moments,
  momentsOf,
} from './frechet.js';
export { type JudgeRecipe, type JudgeTraining, trainJudge } from './judge.js';
export { type KernelDistance, kernelDistance } from './kernel.js';
export { type NeighbourScores, neighbourScores } from './neighbours.js';
export { parzen, parzenLogLikelihood } from './parzen.js';
export { average, type Rows, rows } from './rows.js';
export {
  accuracyByKind,
  agreement,
  categoryError,
  classDivergence,
  classesOf,
  classHistogram,
  classifierScore,
  divergence,
  softmax,
} from './verdicts.js';
