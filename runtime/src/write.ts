// The entry `@gpn/runtime/write`: what makes model files, under Node and in pages.

export { METADATA_KEY, withModelInfo } from './format/model-info.js';
export { withMetadata } from './format/onnx/metadata.js';
export { withWeights } from './format/onnx/weights.js';
export { digest } from './format/sha256.js';
export { makeCertificate } from './model/certificate.js';
