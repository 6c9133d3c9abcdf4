// A check that cannot fail is worth nothing: for every invariant a bug is planted into a copy of the source, the copy is
// built, and the experiment that guards the invariant must find it.

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { build, copyOfSource } from '../support/build.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { sampledBugs } from './experiment.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Bug {
  readonly invariant: string;
  readonly bug: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The experiment that must notice: its file, and a part of its name. */
  readonly experiment: readonly [file: string, name: string];
  /** Where it shows: the deeds at which a pass must be killed. All are far more than it takes. */
  readonly deeds?: string;
  /** Every how-manieth case of a long series is enough for it. */
  readonly every?: number;
}

const BUGS: readonly Bug[] = [
  {
    invariant: 'I1',
    bug: 'a task is written to its final name in two pieces, not linked there when it is whole',
    file: 'src/io/tasks/ground-names.ts',
    from: "linkSync(place, target);\n    return 'linked';",
    to: "const fs = require('node:fs'), text = fs.readFileSync(place, 'utf8'); fs.writeFileSync(target, text.slice(0, 200), { flag: 'wx' }); fs.appendFileSync(target, text.slice(200, -1));\n    return 'linked';",
    experiment: ['killed', 'a dispatching pass'],
    deeds: 'issue-1\\.md',
  },
  {
    invariant: 'I2',
    bug: 'the lock is not waited for',
    file: 'src/io/state/lock.ts',
    from: 'let code = await flock(handle, waitSeconds);',
    to: 'let code = 0;',
    experiment: ['many', 'at the same instant'],
  },
  {
    invariant: 'I3',
    bug: 'a file in done/ is not looked for',
    file: 'src/io/tasks/folder.ts',
    from: "return found.length > 0 ? 'done' : null;",
    to: 'return null;',
    experiment: ['disk', 'what is remembered is spoilt'],
  },
  {
    invariant: 'I4',
    bug: 'a broken template is blamed on the issue, which has to wait after it is mended',
    file: 'src/pass/try-candidate.ts',
    from: "    deps.tasks.checkWay(target);\n  } catch (error) {\n    return { kind: 'failed', error, blame: 'agent',",
    to: "    deps.tasks.checkWay(target);\n  } catch (error) {\n    return { kind: 'failed', error, blame: 'issue',",
    experiment: ['settings', 'templates'],
  },
  {
    invariant: 'I5',
    bug: 'the lock, the log and the journal are opened through a link',
    file: 'src/io/files.ts',
    from: 'constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOFOLLOW',
    to: 'constants.O_APPEND | constants.O_NONBLOCK',
    experiment: ['disk', 'something else stands in each place'],
  },
  {
    invariant: 'I5',
    bug: "the folders in an agent's folder are opened through a link",
    file: 'src/io/tasks/ground.ts',
    from: 'openSync(place, O_RDONLY | O_DIRECTORY | follow)',
    to: 'openSync(place, O_RDONLY | O_DIRECTORY)',
    experiment: ['racing-agent', 'a racing agent'],
  },
  {
    invariant: 'I6',
    bug: 'an error message quotes the token',
    file: 'src/io/gitea/answer.ts',
    from: 'Gitea refused the token (401)',
    to: 'Gitea refused the token ${options.token} (401)',
    experiment: ['server', 'ways of a listing'],
  },
  {
    invariant: 'I7',
    bug: 'the journal of a killed pass is not completed',
    file: 'src/pass/ledger.ts',
    from: 'record: isWhole && !isJournalled ? record : null,',
    to: 'record: null,',
    experiment: ['killed', 'a dispatching pass'],
    deeds: 'dispatches\\.jsonl',
  },
  {
    invariant: 'I7',
    bug: 'a task is published although its slot could not be recorded',
    file: 'src/pass/publish.ts',
    from: '    draft.discard();\n    throw error;\n',
    to: '',
    experiment: ['failing-disk', 'fails with ENOSPC from then on'],
    deeds: 'state\\.json',
  },
  {
    invariant: 'I1',
    bug: 'an attachment has its name before it is whole',
    file: 'src/io/gitea/attachments.ts',
    from: 'folder.write(draft, bytes);\n    folder.rename(draft, folder, file);',
    to: 'folder.write(file, bytes);',
    experiment: ['killed', 'a pass that saves attachments'],
    deeds: 'attachments',
  },
  {
    invariant: 'I8',
    bug: 'what onDispatch was not told of in its own pass is forgotten',
    file: 'src/pass/prepare.ts',
    from: 'hook: config.onDispatch ? record : null,',
    to: 'hook: null,',
    experiment: ['killed', 'a pass that starts onDispatch'],
    deeds: 'dispatches\\.jsonl',
  },
  {
    invariant: 'W1',
    bug: 'a task is taken over from a worker that lives',
    file: 'src/agent/take.ts',
    from: "return stall !== null && (reach === 'stalled' || (reach === 'gone' && stall === 'gone'));",
    to: "return reach !== 'new' || stall !== null;",
    experiment: ['workers', 'are killed at random'],
    every: 20,
  },
  {
    invariant: 'W2',
    bug: 'the oldest task is taken, however urgent another one is',
    file: 'src/core/mailbox/urgency.ts',
    from: 'return a.rank - b.rank || a.createdAt',
    to: 'return a.createdAt',
    experiment: ['workers', 'are killed at random'],
    every: 20,
  },
  {
    invariant: 'W3',
    bug: 'a task is handed back by a copy, and not by one rename',
    file: 'src/io/tasks/moves.ts',
    from: 'const outcome = from.rename(name, target, there);',
    to: "target.write(there, from.read(name, 1e6)?.text ?? ''); from.remove(name); const outcome = 'moved' as const;",
    experiment: ['workers', "every call 'done'"],
  },
  {
    invariant: 'W3',
    bug: 'a task whose worker was killed is left where it is',
    file: 'src/agent/work.ts',
    from: "reach: 'gone', holder: deps.self",
    to: "reach: 'new', holder: deps.self",
    experiment: ['workers', 'are killed at random'],
    every: 10,
  },
  {
    invariant: 'I2',
    bug: 'a host reads the slot without its lock',
    file: 'src/io/store/postgres/hand-over.ts',
    from: 'select 1 from slot where scope = any($1) order by scope for update',
    to: 'select 1 from slot where scope = any($1) order by scope',
    experiment: ['hosts', 'at the same instant'],
  },
  {
    invariant: 'I2',
    bug: 'a host counts the limit by its own clock',
    file: 'src/io/store/postgres/hand-over.ts',
    from: "ms - numberIn(row, 'last_ago') : 0",
    to: "ms - (Date.now() - new Date(String(row['at'])).getTime()) : 0",
    experiment: ['hosts', 'at the same instant'],
  },
  {
    invariant: 'I3',
    bug: 'a host that comes back late keeps what another one has by now',
    file: 'src/core/store/reconcile.ts',
    from: '  if (isHeld) return null;\n',
    to: '  if (isHeld) return Math.max(own, row.attempt) + 1;\n',
    experiment: ['hosts', 'away for longer'],
  },
];

/** The built command with a bug in it. */
function planted({ file, from, to }: Bug): string {
  const folder = copyOfSource();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  expect(source.split(from), `${file} has this once: ${from}`).toHaveLength(2);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  return build(folder);
}

/** What an experiment prints about that build. */
function noticed(
  command: string,
  { experiment: [file, name], deeds = '', every = 1 }: Bug,
): { readonly status: number | null; readonly text: string } {
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('VITEST') && key !== 'NODE_OPTIONS');
  const environment = {
    ...Object.fromEntries(own),
    NO_COLOR: '1',
    DISPATCHER_TEST_COMMAND: command,
    DISPATCHER_TEST_BAIL: '1',
    DISPATCHER_TEST_EVERY: String(every),
    DISPATCHER_TEST_ROUNDS: '3',
    DISPATCHER_TEST_DEEDS: deeds,
    // What that experiment prints is of a broken copy.
    DISPATCHER_TEST_README: '',
  };
  const args = ['run', '--config', 'test/faults/vitest.config.ts', `test/faults/${file}.test.ts`, '-t', name];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args],
    {
      cwd: ROOT,
      env: environment,
      encoding: 'utf8',
    },
  );
  return { status, text: stdout + stderr };
}

const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;

test.for(sampledBugs(BUGS))('$invariant: $bug', (planned, { task, skip }) => {
  const lacking = planned.experiment[0] === 'hosts' ? noPostgres() : null;
  if (lacking !== null) skip(lacking);
  // Twenty seconds each, which CI has not.
  if (planned.experiment[0] === 'hosts' && Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1) > 8)
    skip('CI is short of time');
  const isTraced = planned.experiment[0] === 'killed' || planned.experiment[1].includes('every call');
  if (isTraced && !canTrace) skip('no process may look at another one here');
  const { status, text } = noticed(planted(planned), planned);
  expect(text).toMatch(new RegExp(`^ *\\+ .*\\b${planned.invariant} `, 'mu'));
  expect(status).toBe(1);
  task.meta.planted = { invariant: planned.invariant, bug: planned.bug, experiment: planned.experiment.join(': ') };
});
