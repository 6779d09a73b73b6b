/** Reading pictures, as `@gpn/training/pictures`: loads neither TensorFlow.js nor, before a picture, sharp. */
export { type Decoded, decode, Unreadable } from './decode.js';
export { filesBelow, type Problem } from './files.js';
export { FOREIGN, type Foreign } from './kinds.js';
export { likelyPictures, type PartName, sortFiles } from './listing.js';
export { inspectionIn } from './mvtec.js';
export { testPictures } from './parts.js';
export { type ContactSheet, contactSheet } from './sheet.js';
export {
  type FolderSurvey,
  type Mode,
  type PartSurvey,
  type SizeCount,
  type SurveyOptions,
  surveyFolder,
} from './survey.js';
