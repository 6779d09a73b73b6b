export type { Device } from './devices.js';
export { UserError } from './errors.js';
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
