export { inspectModel, type ModelSummary, type TensorInfo } from './inspect.js';
export {
  type ConvertedModel,
  type ConvertOptions,
  convertModel,
  type HostTensor,
  type HostTensors,
} from './models/convert.js';
export { ExportError } from './models/error.js';
export { type InputShapes, parseInputShape } from './models/shapes.js';
export { type ModelVerification, type Runner, verifyModel } from './models/verify.js';
export { TIMES } from './repeat.js';
export { flatten, type Leaf, mapLeaves } from './structure.js';
export {
  isSpec,
  isTensor,
  type OnnxModel,
  spec,
  type TensorSpec,
  type Tensors,
  type TraceOptions,
  trace,
  traceAsync,
} from './trace.js';
