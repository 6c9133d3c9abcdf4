// What the tests reach of src, together: those in this process (Vitest), and those that start the built command (V8's own
// record of each process, through the source map). A line counts as reached by either.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoverageReport } from 'monocart-coverage-reports';
import { build, copyOfSource } from '../support/build.ts';

const IN_PROCESS = ['test/core', 'test/io', 'test/commands', 'test/views'];
// Not those that wait for deadlines.
const STARTED = ['test/e2e', '--exclude=**/deadline.test.ts'];

/** What lcov says of a file: how often each line was reached, and how many of its branches were taken. */
interface Reached {
  readonly lines: Map<number, number>;
  readonly branches: Map<number, { readonly taken: number; readonly total: number }>;
}

const scratch = mkdtempSync(join(tmpdir(), 'dispatcher-coverage-'));
const source = copyOfSource();
try {
  const folder = (name: string): string => join(scratch, name);
  const recorded = [
    '--coverage',
    '--coverage.reporter=lcovonly',
    `--coverage.reportsDirectory=${folder('in-process')}`,
  ];
  vitest([...IN_PROCESS, ...recorded]);
  vitest(STARTED, {
    DISPATCHER_TEST_COMMAND: build(source, ['--sourcemap', '--sources-content=false', '--minify=false']),
    DISPATCHER_TEST_COVERAGE: folder('records'),
  });
  const report = new CoverageReport({
    outputDir: folder('started'),
    reports: ['lcovonly'],
    logging: 'error',
    entryFilter: ({ url }) => url.includes('/dist/'),
    sourceFilter: (path) => path.includes('src/'),
    sourcePath: (path) => path.slice(path.indexOf('src/')),
  });
  await report.addFromDir(folder('records'));
  await report.generate();
  print(['in-process', 'started'].map((name) => reachedIn(readFileSync(join(folder(name), 'lcov.info'), 'utf8'))));
} finally {
  for (const folder of [scratch, source]) rmSync(folder, { recursive: true, force: true });
}

function vitest(args: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
  const command = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', '--reporter=dot'];
  const { status, stdout } = spawnSync(process.execPath, [...command, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the tests fail: ${args.join(' ')}\n${stdout}`);
}

function reachedIn(lcov: string): ReadonlyMap<string, Reached> {
  const files = new Map<string, Reached>();
  let file: Reached = { lines: new Map(), branches: new Map() };
  for (const row of lcov.split('\n')) {
    const [, kind, rest = ''] = /^(SF|DA|BRDA):(.*)$/u.exec(row) ?? [];
    const [line = 0, ...others] = rest.split(',').map(Number);
    if (kind === 'SF') files.set(rest, (file = { lines: new Map(), branches: new Map() }));
    if (kind === 'DA') file.lines.set(line, others[0] ?? 0);
    if (kind === 'BRDA') {
      const { taken, total } = file.branches.get(line) ?? { taken: 0, total: 0 };
      file.branches.set(line, { taken: taken + (others[2] ? 1 : 0), total: total + 1 });
    }
  }
  return files;
}

// What counts as a line or a branch is as the built command has it, where that holds the file; a line is reached when either
// says so, and of its branches as large a part as in the better of both.
function print([inProcess, started]: readonly ReadonlyMap<string, Reached>[]): void {
  const total = { lines: 0, reached: 0, branches: 0, taken: 0 };
  const names = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => `src/${name}`);
  for (const name of names.toSorted()) {
    const [own, other] = [started?.get(name), inProcess?.get(name)];
    const { lines, branches } = own ?? other ?? { lines: new Map<number, number>(), branches: new Map() };
    const missed = [...lines].filter(([line, hits]) => hits === 0 && !other?.lines.get(line)).map(([line]) => line);
    const partly = [...branches].flatMap(([line, { taken, total: all }]) => {
      const better = other?.branches.get(line);
      const best = Math.max(taken, better ? Math.round((all * better.taken) / better.total) : 0);
      total.branches += all;
      total.taken += best;
      return best < all && !missed.includes(line) ? [line] : [];
    });
    total.lines += lines.size;
    total.reached += lines.size - missed.length;
    if (missed.length > 0) console.log(`${name}: not reached: ${missed.join(' ')}`);
    if (partly.length > 0) console.log(`${name}: not every way taken: ${partly.join(' ')}`);
  }
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
  console.log(
    `src: ${percent(total.reached, total.lines)} of ${total.lines} lines, ${percent(total.taken, total.branches)} of ${total.branches} branches`,
  );
}
