import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    globalSetup: fileURLToPath(new URL('../support/cache.ts', import.meta.url)),
    include: ['test/faults/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 600_000,
    reporters: ['default', fileURLToPath(new URL('report.ts', import.meta.url))],
  },
});
