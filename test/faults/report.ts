// Prints the table of the README's reliability section, from what the experiments note about themselves.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Reporter, TestCase } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** What an experiment came to. */
    experiment?: { readonly name: string; readonly cases: number; readonly violations: number };
    /** A bug that was planted, and found. */
    planted?: { readonly invariant: string; readonly bug: string; readonly experiment: string };
  }
}

/** Where the tables stand in the README. */
const BETWEEN = /(<!-- printed by npm run test:faults -->\n)[^]*(\n<!-- end of what it printed -->)/u;

/** A row an experiment, and a row a planted bug. */
export default class FaultReport implements Reporter {
  readonly #rows: string[] = [];
  readonly #planted: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { experiment, planted } = test.meta();
    if (planted) this.#planted.push(`| ${planted.invariant} | ${planted.bug} | ${planted.experiment} |`);
    if (!experiment) return;
    const seconds = Math.round((test.diagnostic()?.duration ?? 0) / 1000);
    this.#rows.push(`| ${experiment.name} | ${experiment.cases} | ${experiment.violations} | ${seconds} |`);
  }

  onTestRunEnd(): void {
    const text = [
      '| experiment | cases | violations | seconds |',
      '|---|---|---|---|',
      ...this.#rows.toSorted(),
      ...(this.#planted.length > 0 ? ['', '| invariant | planted bug | found by |', '|---|---|---|'] : []),
      ...this.#planted.toSorted(),
    ].join('\n');
    process.stdout.write(`\n${text}\n`);
    if (process.env['DISPATCHER_TEST_README'] !== '1') return;
    const readme = readFileSync('README.md', 'utf8');
    writeFileSync(
      'README.md',
      readme.replace(BETWEEN, (_, begin, end) => `${begin}${text}${end}`),
    );
  }
}
