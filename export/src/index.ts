export type {
  ConvertedModel,
  ConvertOptions,
  HostTensor,
  HostTensors,
} from './convert/convert.js';
export { type InputShapes, parseInputShape } from './convert/input-shapes.js';
export { convertModel, namesModel } from './convert/source/disk.js';
export { type ModelVerification, type Runner, verifyModel } from './convert/verify.js';
export { ExportError } from './error.js';
export { inspectModel, type ModelSummary, type TensorInfo } from './graph/inspect.js';
export { checkOpset, FIRST_OPSET, LAST_OPSET } from './graph/opset.js';
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
