export { classHistogram } from '../data/format/labels.js';
export type { Pictures } from '../data/types.js';
export { calibrate, checkEnough, type NormalPictures } from './detection/calibrate.js';
export * from './detection/index.js';
export { type Extractor, openExtractor } from './judge/extractor.js';
export {
  type FolderJudge,
  type FolderJudgeOptions,
  type JudgeProgress,
  judgeFolder,
} from './judge/folder-judge.js';
export { type JudgeRecipe, type JudgeTraining, trainJudge } from './judge/judge.js';
export { exportJudge } from './judge/judge-file.js';
export { extractorFor, JUDGES } from './judge/judges.js';
export {
  type BootstrapOptions,
  bootstrap,
  type Interval,
  meanInterval,
  shareInterval,
} from './metrics/bootstrap.js';
export { duplicates, type Memorised, memorised, SAME } from './metrics/copies.js';
export { pairDistances, pixelDeviation } from './metrics/diversity.js';
export {
  frechetDistance,
  frechetWithInterval,
  isSingular,
  type Moments,
  momentsOf,
} from './metrics/frechet.js';
export { type KernelDistance, kernelDistance } from './metrics/kernel.js';
export { type NeighbourScores, neighbourhood, neighbourScores } from './metrics/neighbours.js';
export { parzen, parzenLogLikelihood } from './metrics/parzen.js';
export { average, type Rows, rowsOf } from './metrics/rows.js';
export {
  isSliceable,
  type LevelDistance,
  SLICED,
  type SlicedDistance,
  type SlicedSettings,
  slicedDistance,
} from './metrics/sliced.js';
export {
  agreement,
  categoryError,
  classDivergence,
  classesOf,
  classifierScore,
  divergence,
  probabilitiesOf,
} from './metrics/verdicts.js';
export { openEvaluator } from './scorecard/evaluate.js';
export { trainedOn } from './scorecard/extras.js';
export {
  chooseSome,
  draw,
  type Labelled,
  loadReal,
  noise,
  pixelRows,
  type RealData,
} from './scorecard/image-sets.js';
export { MEASURES, type Measure, type MeasureName } from './scorecard/measures.js';
export { classBars, featureMap, type Mean, meansChart } from './scorecard/plots.js';
export {
  type Protocol,
  protocolDifferences,
  protocolHash,
  protocolText,
} from './scorecard/protocol.js';
export { checkComparable, parseEvaluation } from './scorecard/result-file.js';
export {
  format,
  levelLines,
  measuresOf,
  qualityOf,
  scorecardMarkdown,
  scorecardRows,
  seedLines,
  shortHash,
} from './scorecard/scorecard.js';
export type { EvaluateProgress } from './scorecard/scores.js';
export type {
  EvaluateOptions,
  Evaluation,
  Evaluator,
  Evidence,
  Extra,
  Result,
} from './scorecard/types.js';
