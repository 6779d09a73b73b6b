import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { SLOW } from './test/slow.js';
import { SlowestFirst } from './test/slowest-first.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * In milliseconds: ends what hangs, and nothing else. The slowest test takes under a minute on two
 * cores, so even a machine that is ten times slower does not meet it.
 */
const PATIENCE = 900_000;

/**
 * Unit tests read the sources; tests of the built and packed packages start child processes.
 * In the mode `quick`, which `npm run test:quick` asks for, those that take long are left out.
 */
export default defineConfig(({ mode }) => ({
  resolve: {
    alias: {
      '#gradients': at('./export/src/trace/cpu/gradients.ts'),
      '#host': at('./training/src/files/host/node.ts'),
      '@gpn/models/initialize': at('./models/src/initialize.ts'),
      '@gpn/models/layers': at('./models/src/layers/index.ts'),
      '@gpn/models/pretrained': at('./models/src/pretrained.ts'),
      '@gpn/models': at('./models/src/index.ts'),
      '@gpn/export/command/model': at('./export/src/command/model.ts'),
      '@gpn/export/command': at('./export/src/command/index.ts'),
      '@gpn/export/trace': at('./export/src/tracing.ts'),
      '@gpn/export/web': at('./export/src/web.ts'),
      '@gpn/export': at('./export/src/index.ts'),
      '@gpn/runtime/elements/parts': at('./runtime/src/elements/parts.ts'),
      '@gpn/runtime/prepare': at('./runtime/src/format/pictures/prepare.ts'),
      '@gpn/runtime/write': at('./runtime/src/write.ts'),
      '@gpn/runtime': at('./runtime/src/node/index.ts'),
      '@gpn/training/atomic': at('./training/src/files/atomic.ts'),
      '@gpn/training/pictures': at('./training/src/data/pictures/index.ts'),
      '@gpn/training/detection': at('./training/src/evaluation/detection/index.ts'),
      '@gpn/training/lock': at('./training/src/files/lock.ts'),
      '@gpn/training/trace': at('./training/src/run/web/trace.ts'),
      '@gpn/training/web': at('./training/src/run/web/index.ts'),
      '@gpn/training': at('./training/src/index.ts'),
    },
  },
  test: {
    reporters: ['default', './test/count-reporter.ts'],
    include: ['*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // A worker for each processor: Vitest leaves one free, which on two cores is half of the machine.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: SlowestFirst },
    // Quick tests load modules once for all files of a worker; `npm test` keeps the files apart.
    isolate: mode !== 'quick',
    exclude: mode === 'quick' ? [...configDefaults.exclude, ...SLOW] : configDefaults.exclude,
    testTimeout: PATIENCE,
    hookTimeout: PATIENCE,
    expect: { poll: { timeout: PATIENCE / 3 } },
  },
}));
