// The entry for Node: besides what browsers have, what making and keeping model files takes.

export { METADATA_KEY, METADATA_VERSION, withModelInfo } from '../format/model-info.js';
export { type NpyArray, readNpy, writeNpy } from '../format/npy.js';
export { metadataOf } from '../format/onnx-metadata.js';
export { makeCertificate } from '../model/certificate.js';
export { threefry2x32 } from '../random/random.js';
export { threadsNote } from '../session/ort-session.js';
export * from '../shared.js';
export { Discriminator, Generator, loadModel } from './load.js';
export { openSession } from './session.js';
export { readSource, type Source } from './source.js';
export { type WebFile, webFiles } from './web-files.js';
