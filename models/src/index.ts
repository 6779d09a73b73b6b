export {
  type Initialization,
  initialize,
  type Normal,
  type Weights,
} from './initialize.js';
export {
  countParameters,
  type Network,
  type NetworkOptions,
  type Pass,
  type Specs,
  type Tensors,
} from './network.js';
export { NETWORKS, type Pair } from './zoo.js';
