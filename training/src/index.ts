export { type Checkpoint, readCheckpoint } from './checkpoint/checkpoint.js';
export { ALTERATIONS, type Alteration } from './data/fragments/alterations.js';
export {
  type FolderSurvey,
  type PartSurvey,
  type SurveyOptions,
  surveyFolder,
} from './data/pictures/survey.js';
export { checkDataset, loadDataset } from './data/sets/dataset.js';
export type { Dataset } from './data/types.js';
export type { EngineName } from './engine/choice.js';
export { compile } from './engine/compiled.js';
export { type Eager, eagerStep, runEagerly } from './engine/eager.js';
export { traceStep } from './engine/traced.js';
export type { CompiledStep, State } from './engine/types.js';
export * from './evaluation/index.js';
export { trainedDetector } from './export/from-file.js';
export { exportNetwork, type Role } from './export/network.js';
export { exportRun, exportStep } from './export/run.js';
export { LOSSES, type LossPair } from './gan/losses.js';
export { adam, type Optimizer } from './gan/optimizers.js';
export type { Method, Phase } from './methods/method.js';
export { ganOf, networksOf } from './recipe/gan.js';
export { recipeHash } from './recipe/hash.js';
export { preparationOf } from './recipe/keys/common.js';
export { overrideRecipe, recipeNames, resolveRecipe } from './recipe/load.js';
export { defineNetworks } from './recipe/own/networks.js';
export type { PlainNetwork } from './recipe/own/pair.js';
export type { Recipe } from './recipe/schema.js';
export { SUGGESTED_DATA, suggestRecipe, type Wishes } from './recipe/suggest.js';
export {
  type DetectorWishes,
  suggestDetector,
  type TrainedDetector,
} from './recipe/suggest-detector.js';
export { type Distribution, endsOf, type Search, triedValues } from './recipe/sweep/search.js';
export type { Changes, Setting } from './recipe/sweep/settings.js';
export {
  evaluationOf,
  type ReadSweep,
  readSweep,
  rowsOf,
  rowsOfSetting,
  type Sweep,
  type SweepRow,
  searchKey,
} from './recipe/sweep/sweep.js';
export { parseRecipe, recipeToYaml } from './recipe/yaml.js';
export { lasting } from './run/duration.js';
export { train } from './run/loop.js';
export { type Trial, tryDevice } from './run/trial.js';
export type { TrainEvent, TrainOptions, TrainResult } from './run/types.js';
export { startingState } from './steps/state.js';
export { runCurves } from './tracking/plot.js';
