export { STATISTICS_KEPT } from './batch-norm.js';
export { type Initialization, initialize } from './initialize.js';
export {
  countParameters,
  type ImageShape,
  type Network,
  NetworkError,
  type NetworkOptions,
  type Normal,
  overPatches,
  type Pass,
  patchStride,
  prefixed,
  type Specs,
  type TensorSpec,
  type Tensors,
  under,
  type Weights,
} from './network.js';
export { SIDES } from './networks/any-size.js';
export { type Judge, type JudgeOptions, judge } from './networks/judge.js';
export { inOrientations } from './orientations.js';
export { NETWORKS, type Pair } from './zoo.js';
