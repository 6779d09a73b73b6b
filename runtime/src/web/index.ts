export * from '../shared.js';
export { Discriminator, Generator } from './load.js';
export { openSession } from './session.js';
export { readSource, type Source } from './source.js';
