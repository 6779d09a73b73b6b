export { makeCertificate, type Verification } from './certificate.js';
export type { Device } from './devices.js';
export { Discriminator, type ScoreOptions, type Scores } from './discriminator.js';
export { UserError } from './errors.js';
export { Generator, type LoadOptions } from './generator.js';
export { type GridOptions, Images } from './images.js';
export { latents, type SampleOptions } from './inputs.js';
export {
  type Certificate,
  type Distribution,
  type ImageInfo,
  type Kind,
  METADATA_KEY,
  METADATA_VERSION,
  type ModelInfo,
  type QualityInfo,
  readModelInfo,
  type ScoreMeaning,
  type TrainingInfo,
  withModelInfo,
} from './model-info.js';
export { type NpyArray, readNpy, writeNpy } from './npy.js';
export { metadataOf } from './onnx-metadata.js';
export { type RandomStream, stream, threefry2x32 } from './random.js';
export {
  type DType,
  type OpenOptions,
  openSession,
  type Session,
  type TensorData,
  type TensorInfo,
} from './session.js';
export { readSource, type Source } from './source.js';
