// The entry for pages: nothing of Node, of TensorFlow.js, or of the recipe's schema.

export type { NetworkDraft, Role } from '../../export/info.js';
export {
  readStepInfo,
  type StepInfo,
  type StepInput,
  type StepRole,
} from '../../export/step-file.js';
export type { PageImages } from './data.js';
export { enoughImages } from './few.js';
export { imagesFrom, type PagePictures, type PageSource, type Prepared } from './pictures.js';
export { type Curves, type Kept, type Store, storeOf } from './store.js';
export {
  openTraining,
  type RunOptions,
  type Training,
  type TrainingOptions,
  type TrainingProgress,
} from './training.js';
