import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/{core,io,commands,views}/**/*.test.ts'],
    // A month takes longer than a mutant is worth; what it covers is covered by smaller tests.
    exclude: ['test/pass/month.test.ts'],
  },
});
