/**
 * Test files that `npm run test:quick` leaves out: they need a browser, train in processes of their
 * own, run the built command many times, or compute for more than some five seconds; or they mock a
 * module, which the quick tests of a worker share. A new file is quick until it is named here. Each pattern is a path from the root of the repository.
 */
export const SLOW = [
  // Browsers, TensorFlow, and packages as users install them.
  'test/platforms/**',
  'test/tensorflow/**',
  'test/packages.test.ts',
  // Trainings in processes of their own, and whole runs of the command.
  'test/bundled.test.ts',
  'test/cli.test.ts',
  'test/cli-errors.test.ts',
  'test/docs/code-blocks.test.ts',
  'test/end-to-end.test.ts',
  'test/kills.test.ts',
  'test/power-cut.test.ts',
  'test/resume.test.ts',
  'test/threads.test.ts',
  'cli/test/export-web-killed.test.ts',
  'training/test/exactness.test.ts',
  'training/test/memory.test.ts',
  'training/test/evaluation/docs.test.ts',
  // Trainings in the test's own process.
  'cli/test/engine.test.ts',
  'test/pixels.test.ts',
  'test/zoo.test.ts',
  'training/test/gpn-run.test.ts',
  'training/test/lock.test.ts',
  'training/test/mend.test.ts',
  'training/test/tracking/run.test.ts',
  // Steps and evaluations against TensorFlow.js's cpu backend or of thousands of images.
  'cli/test/data.test.ts',
  'cli/test/doctor.test.ts',
  'cli/test/draw-and-score.test.ts',
  'cli/test/eval.test.ts',
  'cli/test/judge.test.ts',
  'cli/test/sample.test.ts',
  'export/test/models-docs.test.ts',
  'training/test/evaluation/classes.test.ts',
  'training/test/evaluation/evaluate.test.ts',
  'training/test/evaluation/extras.test.ts',
  'training/test/average.test.ts',
  'training/test/eager.test.ts',
  'training/test/evaluation/collapse.test.ts',
  'training/test/evaluation/extractor.test.ts',
  'training/test/evaluation/folder-judge.test.ts',
  'training/test/evaluation/judge.test.ts',
  'training/test/feeder.test.ts',
  'training/test/gradient-penalty.test.ts',
  'training/test/infogan.test.ts',
  'training/test/methods.test.ts',
  'training/test/predictive.test.ts',
  'training/test/progress-log.test.ts',
  'training/test/together.test.ts',
];
