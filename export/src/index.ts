export {
  type ConvertedModel,
  type ConvertOptions,
  convertModel,
  type HostTensor,
  type HostTensors,
} from './convert/convert.js';
export { ExportError } from './convert/error.js';
export { type InputShapes, parseInputShape } from './convert/input-shapes.js';
export { type ModelVerification, type Runner, verifyModel } from './convert/verify.js';
export { inspectModel, type ModelSummary, type TensorInfo } from './graph/inspect.js';
export { TIMES } from './graph/repeat.js';
export { flatten, type Leaf, mapLeaves } from './trace/structure.js';
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
} from './trace/trace.js';
