/** The engines that run a training step. Their results differ by rounding only. */
import { compile } from './compiled.js';
import { tensorflowStep } from './tensorflow.js';

/** `onnx`: ONNX Runtime; `tensorflow`: TensorFlow through TF.js. */
export type EngineName = 'onnx' | 'tensorflow';

/** The engines by name. */
export const ENGINES: Readonly<Record<EngineName, typeof compile>> = {
  /** ONNX Runtime runs the step as one graph. */
  onnx: compile,
  /** TensorFlow runs operation by operation; the user must install TF.js's package for it. */
  tensorflow: tensorflowStep,
};
