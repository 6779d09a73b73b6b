/** What can run a training step; all take the same step and come to the same results, but for rounding. */
import { compile } from './compiled.js';
import { tensorflowStep } from './tensorflow.js';

export type EngineName = 'onnx' | 'tensorflow';

export const ENGINES: Readonly<Record<EngineName, typeof compile>> = {
  /** ONNX Runtime: the step as one graph. */
  onnx: compile,
  /** TensorFlow, where the user has installed TF.js's package of it: operation by operation. */
  tensorflow: tensorflowStep,
};
