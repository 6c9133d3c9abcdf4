// That everybody gets his turn is a promise like the others: for each way in which it was broken once, the bug is planted
// again into a copy of the source, and the test of liveness must find it.

import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { build, copyOfSource } from '../support/build.ts';
import { sampledBugs } from './experiment.ts';

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
const FOLLOW_UP = 'test/pass/follow-up-liveness.test.ts';
const REMEMBERED = 'test/pass/remembered.test.ts';
const TURNS = 'test/core/choice/turns.test.ts';
const LISTING = 'test/e2e/listing.test.ts';
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
  {
    bug: 'attachments have the whole time of a pass',
    file: 'src/deps/gitea.ts',
    from: 'saveAttachments(issue, file, rules, slice())',
    to: 'saveAttachments(issue, file, rules, { signal: AbortSignal.timeout(38_000), timeLeft: () => 38_000 })',
    test: ['test/e2e/attachments.test.ts', 'twenty that drip'],
  },
  {
    bug: 'news of one that cannot be read ends the follow-up of the others',
    file: 'src/pass/follow-up/follow-up.ts',
    from: "result = { task, answer: { kind: 'failed', message: messageOf(error) } };",
    to: "if (doing.kind !== 'archive') throw error;\n    result = { task, answer: { kind: 'failed', message: messageOf(error) } };",
    test: [FOLLOW_UP, 'whatever is due for whichever tasks'],
  },
  {
    bug: 'a crowd that was missing under a clock that was ahead is waited for',
    file: 'src/pass/follow-up/archive.ts',
    from: "Math.min(fromRfc3339(state.vanishedSince ?? '') ?? now, now)",
    to: "fromRfc3339(state.vanishedSince ?? '') ?? now",
    test: [FOLLOW_UP, 'a crowd that was missing then'],
  },
  {
    bug: 'what blocks a task was asked about under a clock that was ahead, and is not again',
    file: 'src/pass/follow-up/blockers.ts',
    from: '(ago >= RECHECK_MS || ago < 0)',
    to: 'ago >= RECHECK_MS',
    test: [FOLLOW_UP, 'what blocks a task in another repository'],
  },
  {
    bug: 'a heading is looked for by an expression that shares out blanks in every way',
    file: 'src/core/task/body-sections.ts',
    from: '  if (signs !== undefined) return {',
    to: String.raw`  if (/^(#{1,6})\s+(.*?)\s*#*\s*$/u.exec(line)?.[2] === line) return undefined;
  if (signs !== undefined) return {`,
    test: ['test/core/hostile-text.test.ts', 'acceptanceCriteria'],
  },
  {
    bug: 'a page of the listing that is too long is not asked for in smaller ones',
    file: 'src/io/gitea/pages.ts',
    from: 'if (size > 1) continue;',
    to: 'if (size > 1) throw error;',
    test: [LISTING, 'that nobody is assigned to hold up no other'],
  },
  {
    bug: 'the trouble of one repository ends the pass',
    file: 'src/io/gitea/listing.ts',
    from: 'if (unread.length === scopes.length)',
    to: 'if (unread.length > 0)',
    test: [LISTING, 'another one is dispatched from: an outage'],
  },
  {
    bug: 'the listing keeps the pages as they came',
    file: 'src/io/gitea/pages.ts',
    from: '  const listed = body.map(',
    to: '  ((globalThis as { kept?: unknown[] }).kept ??= []).push(body);\n  const listed = body.map(',
    test: [LISTING, 'are not kept'],
  },
  {
    bug: 'a folder of an agent that cannot be used is thrown at everybody',
    file: 'src/io/tasks/inventory.ts',
    from: '  } catch (error) {\n    note(error);\n  }',
    to: '  } catch (error) {\n    throw error;\n  }',
    test: ['test/io/task-folder.test.ts', 'it is a link itself'],
  },
  {
    bug: 'onDispatch has its whole time, however little of the pass is left',
    file: 'src/pass/follow-up/hooks.ts',
    from: 'const left = deps.timeLeft() + AFTERWARDS_MS;',
    to: 'const left = Number.POSITIVE_INFINITY;',
    test: [REMEMBERED, 'has what is left and 5 s'],
  },
];

test.for(sampledBugs(BUGS))('$bug', ({ file, from, to, test: [tests, name] }) => {
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
  // Those tests start the command.
  if (tests.startsWith('test/e2e/')) build(folder);
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
