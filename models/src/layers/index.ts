export { branches, residual } from './compose.js';
export { basis, bias, embed, project, weightedSum } from './learned.js';
export { batchNorm } from './norm.js';
export {
  averagePool,
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
  tanh,
} from './plain.js';
export { double, halve } from './resample.js';
export { conv, deconv, dense, type WeightOptions } from './weighted.js';
