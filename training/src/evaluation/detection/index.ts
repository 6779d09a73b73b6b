/** How well detectors find things, as `@gpn/training/detection`: loads neither TensorFlow.js nor zod. */
export { rocLines, suspicionBars } from './charts.js';
export {
  areaUnder,
  aupro,
  auroc,
  averagePrecision,
  type Curve,
  pixelAuroc,
  pixelCurve,
  rocCurve,
  type ScoredMask,
} from './ranking.js';
