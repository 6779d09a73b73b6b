/** Layers, to make networks of: see `sequential`. */
export {
  type Layer,
  type LayerMaker,
  type LayerPass,
  type Network,
  NetworkError,
  type NetworkOptions,
  type Start,
  sequential,
  type TensorSpec,
  type Tensors,
} from '../network.js';
export { branches, residual } from './compose.js';
export { basis, bias, embed, layer, project, weightedSum } from './learned.js';
export { batchNorm } from './norm.js';
export {
  averagePool,
  detail,
  dropout,
  flatten,
  join,
  joined,
  leakyRelu,
  maxPool,
  pixel,
  relu,
  reshape,
  sigmoid,
  softmax,
  tanh,
} from './plain.js';
export { double, halve } from './resample.js';
export { conv, deconv, dense, type WeightOptions } from './weighted.js';
