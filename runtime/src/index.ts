export type { Device } from './devices.js';
export { UserError } from './errors.js';
export { type RandomStream, stream, threefry2x32 } from './random.js';
export {
  type DType,
  type OpenOptions,
  openSession,
  type Session,
  type TensorData,
  type TensorInfo,
} from './session.js';
