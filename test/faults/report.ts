// Prints the table of the README's reliability section, from what the experiments note about themselves.

import type { Reporter, TestCase } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** What an experiment came to. */
    experiment?: { readonly name: string; readonly cases: number; readonly violations: number };
    /** A bug that was planted, and found. */
    planted?: { readonly invariant: string; readonly bug: string; readonly experiment: string };
  }
}

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
    const head = ['| experiment | cases | violations | seconds |', '|---|---|---|---|'];
    process.stdout.write(`\n${[...head, ...this.#rows.toSorted()].join('\n')}\n`);
    if (this.#planted.length === 0) return;
    const plantedHead = ['| invariant | planted bug | found by |', '|---|---|---|'];
    process.stdout.write(`\n${[...plantedHead, ...this.#planted.toSorted()].join('\n')}\n`);
  }
}
