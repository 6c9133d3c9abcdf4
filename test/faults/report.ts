// Prints the tables of test/README.md, from what the experiments note about themselves.

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

/** Where the tables stand in test/README.md. */
const BETWEEN = /(?<=<!-- printed by npm run test:faults -->\n)[^]*(?=\n<!-- end of what it printed -->)/u;
const EXPERIMENTS = '| experiment | cases | violations | seconds |\n|---|---|---|---|';
const PLANTED = '| invariant | planted bug | found by |\n|---|---|---|';

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
    process.stdout.write(`\n${tables(this.#rows, this.#planted)}\n`);
    if (process.env['DISPATCHER_TEST_README'] !== '1') return;
    const readme = readFileSync('test/README.md', 'utf8');
    // All of it takes the better part of an hour: what was not run this time keeps its row.
    const [before = '', plantedBefore = ''] = (BETWEEN.exec(readme)?.[0] ?? '').split(`\n\n${PLANTED}`);
    const text = tables(
      renewed(before.replace(EXPERIMENTS, ''), this.#rows, 1),
      renewed(plantedBefore, this.#planted, 2),
    );
    writeFileSync(
      'test/README.md',
      readme.replace(BETWEEN, () => text),
    );
  }
}

function tables(rows: readonly string[], planted: readonly string[]): string {
  const both = [EXPERIMENTS, ...rows.toSorted()];
  return [...both, ...(planted.length > 0 ? ['', PLANTED, ...planted.toSorted()] : [])].join('\n');
}

/** The rows of a table, with new ones in place of those that begin with the same cells, or besides them. */
function renewed(table: string, rows: readonly string[], cells: number): readonly string[] {
  const keyOf = (row: string): string => row.split(' | ').slice(0, cells).join(' | ');
  const kept = table.split('\n').filter((row) => row.startsWith('| '));
  return [...new Map([...kept, ...rows].map((row) => [keyOf(row), row])).values()];
}
