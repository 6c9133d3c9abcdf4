// Prints the table of the README's reliability section, from what the experiments note about themselves.

import type { Reporter, TestCase } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** What an experiment came to. */
    experiment?: { readonly name: string; readonly cases: number; readonly violations: number };
  }
}

/** A row an experiment. */
export default class FaultReport implements Reporter {
  readonly #rows: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { experiment } = test.meta();
    if (!experiment) return;
    const seconds = Math.round((test.diagnostic()?.duration ?? 0) / 1000);
    this.#rows.push(`| ${experiment.name} | ${experiment.cases} | ${experiment.violations} | ${seconds} |`);
  }

  onTestRunEnd(): void {
    const head = ['| experiment | cases | violations | seconds |', '|---|---|---|---|'];
    process.stdout.write(`\n${[...head, ...this.#rows.toSorted()].join('\n')}\n`);
  }
}
