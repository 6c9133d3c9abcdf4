// That everybody gets his turn is a promise like the others: for each way in which it was broken once, the bug is planted
// again into a copy of the source, and the test of liveness must find it.

import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { copyOfSource } from '../support/build.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Bug {
  readonly bug: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The file of tests that must notice, and a part of a name in it. */
  readonly test: readonly [file: string, name: string];
}

const LIVENESS = 'test/pass/liveness.test.ts';
const TURNS = 'test/core/choice/turns.test.ts';
const BUGS: readonly Bug[] = [
  {
    bug: 'what an issue failed of is not written down',
    file: 'src/pass/choose.ts',
    from: "if (!tried.isOutage || !isNew) return record(ofIssue, 'read', { kind: 'failed', message });",
    to: 'if (!tried.isOutage || !isNew) return;',
    test: [LIVENESS, "60 that are 'refused'"],
  },
  {
    bug: 'an issue that never answers has the whole time of a pass',
    file: 'src/pass/choose.ts',
    from: 'const SLICE_MS = 10_000;',
    to: 'const SLICE_MS = 100_000;',
    test: [LIVENESS, "12 that are 'silent'"],
  },
  {
    bug: 'a few issues that fail are the fault of the server, although they failed before',
    file: 'src/pass/choose.ts',
    from: "if (!tried.isOutage || !isNew) return record(ofIssue, 'read', { kind: 'failed', message });",
    to: "if (!tried.isOutage) return record(ofIssue, 'read', { kind: 'failed', message });",
    test: [LIVENESS, "3 that are 'too large'"],
  },
  {
    bug: 'a folder that cannot be written is blamed on the issue',
    file: 'src/pass/try-candidate.ts',
    from: "    return { kind: 'ready', task };\n  } catch (error) {\n    return { kind: 'failed', error, blame: 'agent', isOutage: false };",
    to: "    return { kind: 'ready', task };\n  } catch (error) {\n    return { kind: 'failed', error, blame: 'issue', isOutage: false };",
    test: [LIVENESS, "30 that are 'unwritable'"],
  },
  {
    bug: 'those that are held are asked again as often as they like, before those that were never asked',
    file: 'src/core/choice/asking.ts',
    from: "...due.filter(({ kind }) => kind === 'hold').slice(0, MOST_ASKED_AGAIN),",
    to: "...due.filter(({ kind }) => kind === 'hold'),",
    test: [TURNS, 'are asked again a few at a time'],
  },
  {
    bug: 'an issue that only the list shows is not written down',
    file: 'src/pass/choose.ts',
    from: "return record(about, 'read', { kind: 'later', afterMs: RECHECK_GONE_MS, message });",
    to: 'return;',
    test: [LIVENESS, "60 that are 'gone'"],
  },
  {
    bug: 'one task that cannot be archived ends the loop',
    file: 'src/pass/follow-up/follow-up.ts',
    from: "    result = { task, answer: { kind: 'failed', message: messageOf(error) } };",
    to: '    throw error;',
    test: [LIVENESS, 'a folder from which nothing can be moved'],
  },
  {
    bug: 'those that were asked most recently are asked first',
    file: 'src/core/choice/turns.ts',
    from: 'return (a, b) => askedAt(a) - askedAt(b);',
    to: 'return (a, b) => askedAt(b) - askedAt(a);',
    test: [TURNS, 'whatever the answers'],
  },
  {
    bug: 'a turn that was asked under a clock that was ahead is waited for',
    file: 'src/core/choice/turns.ts',
    from: 'return dueAt <= now || askedAt > now;',
    to: 'return dueAt <= now;',
    test: [TURNS, 'under a clock that was a year ahead'],
  },
  {
    bug: 'a closed blocker is noticed after five minutes only',
    file: 'src/core/choice/asking.ts',
    from: 'return hold.updatedAt !== issue.updatedAt || hold.waitsFor.some((ref) => !isOpen(ref));',
    to: 'return false;',
    test: [TURNS, 'are asked at once when what they hang on has changed'],
  },
  {
    bug: 'nothing is remembered of what a pass was at when it ended',
    file: 'src/pass/ledger.ts',
    from: 'const tried = deps.trying.left();',
    to: 'const tried = null as ReturnType<typeof deps.trying.left>;',
    test: [LIVENESS, 'is remembered: the first time'],
  },
  {
    bug: 'onDispatch is told of a dispatch in its own pass alone',
    file: 'src/pass/prepare.ts',
    from: 'hook: config.onDispatch ? record : null,',
    to: 'hook: null,',
    test: [LIVENESS, 'is told of a dispatch, whatever failed'],
  },
];

test.for(BUGS)('$bug', ({ file, from, to, test: [tests, name] }) => {
  const folder = copyOfSource();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(ROOT, 'test'), join(folder, 'test'), { recursive: true });
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  expect(source.split(from), `${file} has this once: ${from}`).toHaveLength(2);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('VITEST') && key !== 'NODE_OPTIONS');
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts', tests, '-t', escaped],
    { cwd: folder, env: { ...Object.fromEntries(own), NO_COLOR: '1' }, encoding: 'utf8' },
  );
  expect(stdout).toMatch(/Tests +1 failed/u);
  expect(status).toBe(1);
});
