export { type BootstrapOptions, bootstrap, type Interval, meanInterval } from './bootstrap.js';
export { duplicates, type Memorised, memorised, SAME } from './copies.js';
export { generatorVariance, pairDistances } from './diversity.js';
export {
  type EvaluateOptions,
  type EvaluateProgress,
  type Evaluation,
  type Evaluator,
  type Evidence,
  openEvaluator,
  type Result,
} from './evaluate.js';
export { type Extractor, openExtractor, type Pictures } from './extractor.js';
export { type Extra, trainedOn } from './extras.js';
export {
  frechetDistance,
  frechetWithInterval,
  isSingular,
  type Moments,
  momentsOf,
} from './frechet.js';
export { type JudgeRecipe, type JudgeTraining, trainJudge } from './judge.js';
export { exportJudge } from './judge-file.js';
export { extractorFor, JUDGES } from './judges.js';
export { type KernelDistance, kernelDistance } from './kernel.js';
export { MEASURES, type Measure, type MeasureName } from './measures.js';
export { type NeighbourScores, neighbourhood, neighbourScores } from './neighbours.js';
export { parzen, parzenLogLikelihood } from './parzen.js';
export { classBars, featureMap, runCurves } from './plots.js';
export { type Protocol, protocolDifferences, protocolHash, protocolText } from './protocol.js';
export { checkComparable, parseEvaluation } from './result-file.js';
export { average, type Rows, rows } from './rows.js';
export {
  format,
  measuresOf,
  qualityOf,
  scorecardMarkdown,
  scorecardText,
  shortHash,
} from './scorecard.js';
export {
  chooseSome,
  draw,
  type Labelled,
  loadReal,
  noise,
  pixelRows,
  type RealData,
} from './sets.js';
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
