/** What the entries for Node and for browsers both export. */

export { reasonOf, UserError } from './errors.js';
export { sha256 } from './format/digest.js';
export { type Grid, type GridOptions, Images } from './format/images.js';
export { GENEROUS, type Limits, STRICT } from './format/limits.js';
export {
  type Calibration,
  type Certificate,
  type Distribution,
  type ImageInfo,
  type Kind,
  type ModelInfo,
  type NullDistribution,
  type QualityInfo,
  readModelInfo,
  type ScoreMeaning,
  type TrainingInfo,
} from './format/model-info.js';
export { metadataOf } from './format/onnx/metadata.js';
export type { Picture, Rectangle } from './format/pictures/picture.js';
export type { ImageSize, Levels, Preparation } from './format/pictures/prepare.js';
export type { Verification } from './model/certificate.js';
export type { DetectedRegion, Detection } from './model/detection/detect.js';
export type { ScoreMap, Scores } from './model/detection/scores.js';
export type { DetectOptions, MapOptions, ScoreOptions } from './model/discriminator.js';
export { type GridInputs, type GridPlan, gridInputs, type Sweep } from './model/grid-inputs.js';
export { extent, heatMap, probability } from './model/heat-map.js';
export { latents, type SampleOptions } from './model/inputs.js';
export { blend, pathOf } from './model/interpolate.js';
export { type LoadOptions, type LoadProgress, refusePacked } from './model/load.js';
export { type RandomStream, stream } from './random/random.js';
export type { BatchOptions } from './session/batches.js';
export type {
  Device,
  DType,
  OpenOptions,
  Session,
  TensorData,
  TensorInfo,
} from './session/ort-session.js';
export { product } from './shape.js';
