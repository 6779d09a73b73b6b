// The entry for Node: what browsers have, and what is needed to make model files.

export { METADATA_KEY, withModelInfo } from '../format/model-info.js';
export { type NpyArray, readNpy, writeNpy } from '../format/npy.js';
export { withMetadata } from '../format/onnx/metadata.js';
export { PREPARATION, prepare, resize } from '../format/pictures/prepare.js';
export { makeCertificate } from '../model/certificate.js';
export { classOf } from '../model/classes.js';
export { detectionOf, highlights, thresholdOf } from '../model/detection/detect.js';
export { nullOf, pValue, suspicionOf } from '../model/detection/p-values.js';
export { type Regions, regionsOf } from '../model/detection/regions.js';
export { suspicionMap } from '../model/detection/suspicion.js';
export { generatorFeeds } from '../model/inputs.js';
export type { Model } from '../model/model.js';
export type { Feed } from '../session/batches.js';
export { threadsNote } from '../session/ort-session.js';
export * from '../shared.js';
export { Discriminator, Generator, loadModel } from './load.js';
export { processors } from './processors.js';
export { openSession } from './session.js';
export { readSource, type Source } from './source.js';
export { type WebFile, webFiles } from './web-files.js';
