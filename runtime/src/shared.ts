/** What the entries for Node and for browsers have in common. */
export type { BatchOptions } from './batches.js';
export type { Verification } from './certificate.js';
export type { MapOptions, ScoreMap, ScoreOptions, Scores } from './discriminator.js';
export { UserError } from './errors.js';
export { type GridInputs, type GridPlan, gridInputs, type Sweep } from './grid-inputs.js';
export { extent, heatMap, probability } from './heat-map.js';
export { type Grid, type GridOptions, Images } from './images.js';
export { latents, type SampleOptions } from './inputs.js';
export { blend, pathOf } from './interpolate.js';
export type { LoadOptions, LoadProgress } from './load.js';
export {
  type Certificate,
  type Distribution,
  type ImageInfo,
  type Kind,
  type ModelInfo,
  type QualityInfo,
  readModelInfo,
  type ScoreMeaning,
  type TrainingInfo,
} from './model-info.js';
export type {
  Device,
  DType,
  OpenOptions,
  Session,
  TensorData,
  TensorInfo,
} from './ort-session.js';
export type { Picture, Rectangle } from './picture.js';
export { type RandomStream, stream } from './random.js';
