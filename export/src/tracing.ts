/** The entry `@gpn/export/trace`: functions to graphs, under Node and in pages; converts no models. */
export { ExportError } from './error.js';
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
