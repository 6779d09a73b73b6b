export { inspectModel, type ModelSummary, type TensorInfo } from './inspect.js';
export { flatten, type Leaf, mapLeaves } from './structure.js';
export {
  type OnnxModel,
  spec,
  type TensorSpec,
  type Tensors,
  type TraceOptions,
  trace,
} from './trace.js';
