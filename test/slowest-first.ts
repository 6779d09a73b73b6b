import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first; all others keep Vitest's order behind them. */
const SLOWEST = [
  'test/kills.test.ts',
  'test/tensorflow/engine.test.ts',
  'cli/test/doctor.test.ts',
  'test/zoo.test.ts',
  'training/test/methods.test.ts',
  'test/platforms/platforms.test.ts',
  'test/sweep.test.ts',
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = SLOWEST.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place < 0 ? SLOWEST.length : place;
};

/** Starts the longest files first, so that no worker is left with one of them while the others are done. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
