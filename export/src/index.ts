// A program may trace functions with layers of TF.js.
import './trace/recurrent.js';

export type {
  ConvertedModel,
  ConvertOptions,
  HostTensor,
  HostTensors,
} from './convert/convert.js';
export { type InputShapes, parseInputShape } from './convert/input-shapes.js';
export type { OwnLayers, TensorFlowJs } from './convert/own-layers.js';
export { convertModel, namesModel } from './convert/source/disk.js';
export { type ModelVerification, type Runner, verifyModel } from './convert/verify.js';
export {
  type Convolution,
  convolutionsIn,
  inspectModel,
  type ModelSummary,
  type TensorInfo,
} from './graph/inspect.js';
export { checkOpset, FIRST_OPSET, LAST_OPSET } from './graph/opset.js';
export * from './tracing.js';
