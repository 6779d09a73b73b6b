// The entry for pages: nothing of Node, of TensorFlow.js, or of the recipe's schema.
export {
  readStepInfo,
  type StepInfo,
  type StepInput,
  type StepRole,
} from '../../export/step-file.js';
export type { PageImages } from './data.js';
export {
  openTraining,
  type RunOptions,
  type Training,
  type TrainingOptions,
  type TrainingProgress,
} from './training.js';
