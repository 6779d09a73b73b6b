import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * In milliseconds: ends what hangs, and nothing else. The slowest test takes under a minute on two
 * cores, so even a machine that is ten times slower does not meet it.
 */
const PATIENCE = 900_000;

// Unit tests read the sources; tests of the built and packed packages start child processes.
export default defineConfig({
  resolve: {
    alias: {
      '@gpn/models/pretrained': at('./models/src/pretrained.ts'),
      '@gpn/models': at('./models/src/index.ts'),
      '@gpn/export': at('./export/src/index.ts'),
      '@gpn/runtime': at('./runtime/src/node/index.ts'),
      '@gpn/training/atomic': at('./training/src/files/atomic.ts'),
      '@gpn/training': at('./training/src/index.ts'),
    },
  },
  test: {
    reporters: ['default', './test/count-reporter.ts'],
    include: ['*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: PATIENCE,
    hookTimeout: PATIENCE,
    expect: { poll: { timeout: PATIENCE / 3 } },
  },
});
