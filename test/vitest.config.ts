import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    globalSetup: fileURLToPath(new URL('support/cache.ts', import.meta.url)),
    include: ['test/**/*.test.ts'],
    // Minutes long: npm run test:faults.
    exclude: ['test/faults/**', 'node_modules/**'],
    // Most of the time is waiting for started commands: with one worker for each of two cores both would be idle for half of it.
    maxWorkers: 4,
    // Not a measure of anything: a machine that does five other things at once must not fail a test.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text'] },
  },
});
