// The entry for Node: besides what browsers have, what making and keeping model files takes.
export { makeCertificate } from './certificate.js';
export { METADATA_KEY, METADATA_VERSION, withModelInfo } from './model-info.js';
export { Discriminator, Generator, loadModel } from './node.js';
export { type NpyArray, readNpy, writeNpy } from './npy.js';
export { metadataOf } from './onnx-metadata.js';
export { threadsNote } from './ort-session.js';
export { threefry2x32 } from './random.js';
export { openSession } from './session.js';
export * from './shared.js';
export { readSource, type Source } from './source.js';
export { type WebFile, webFiles } from './web-files.js';
