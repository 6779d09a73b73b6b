export { Discriminator, Generator } from './node.js';
export { openSession } from './session.js';
export * from './shared.js';
export { readSource, type Source } from './source.js';
