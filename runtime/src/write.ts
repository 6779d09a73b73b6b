// The entry `@gpn/runtime/write`: what makes model files, and the pictures of trainings, under Node and in pages.

import { hexOf } from './format/digest.js';
import { digestBytes } from './format/sha256.js';

export { METADATA_KEY, withModelInfo } from './format/model-info.js';
export { type LoopBody, loopBody } from './format/onnx/loop.js';
export { withMetadata } from './format/onnx/metadata.js';
export { withWeights } from './format/onnx/weights.js';
export { reduced, reducedSize } from './format/pictures/reduced.js';
export { encodePNG } from './format/png.js';
export { makeCertificate } from './model/certificate.js';

/** The SHA-256 of some bytes, in hexadecimal, where there is no time to wait for the browser's. */
export const digest = (bytes: Uint8Array): string => hexOf(digestBytes(bytes));
