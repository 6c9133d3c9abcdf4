import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    // Minutes long: npm run test:faults.
    exclude: ['test/faults/**', 'node_modules/**'],
    // Most of the time is waiting for started commands; with one worker on two cores half of it would be idle.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text'] },
  },
});
