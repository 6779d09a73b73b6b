export { UserError } from './errors.js';
export { type RandomStream, stream, threefry2x32 } from './random.js';
