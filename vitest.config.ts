import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

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
    globalSetup: './test/platforms/get-browser.ts',
    reporters: ['default', './test/count-reporter.ts'],
    include: ['*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
