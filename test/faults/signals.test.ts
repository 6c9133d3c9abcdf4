// Signals, pipes and surroundings: stopped at any moment, with nowhere to print, without a home.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { finished, type Workspace, workspace } from '../support/command.ts';
import { violations } from '../support/invariants.ts';

const COMMAND = fileURLToPath(new URL('../../bin/dispatcher.js', import.meta.url));
const AT_ONCE = 4;

async function office(): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\nupdates: { enabled: false }\n',
  });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  return at;
}

async function broken(at: Workspace, startedAt: number, outputs: readonly string[]): Promise<readonly string[]> {
  const after = await at.run([]);
  const all = {
    allowed: [],
    rateLimitMs: 1000,
    startedAt,
    due: ['hans 1'],
    forced: false,
    outputs: [...outputs, after.stdout, after.stderr],
  };
  return violations(at, all).map(({ invariant, what }) => `${invariant} ${what}`);
}

/** Does each of them, a few at a time. */
async function together<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const next = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of next) await work(item);
    }),
  );
}

test('SIGTERM and SIGINT at moments 2 ms apart', async ({ task }) => {
  const found: string[] = [];
  const moments = Array.from({ length: 100 }, (_, index) => index * 2);
  await together(moments, async (ms) => {
    const at = await office();
    const startedAt = Date.now();
    const child = at.start([]);
    setTimeout(() => child.kill(ms % 4 === 0 ? 'SIGTERM' : 'SIGINT'), ms);
    const { code, stdout, stderr } = await finished(child);
    // Before Node has begun to listen, the signal itself ends the process.
    if (![0, 130, null].includes(code)) found.push(`exit ${code} after ${ms} ms: ${stderr}`);
    found.push(...(await broken(at, startedAt, [stdout, stderr])).map((what) => `after ${ms} ms: ${what}`));
  });
  task.meta.experiment = { name: 'stopped by a signal at any moment', cases: moments.length, violations: found.length };
  expect(found).toEqual([]);
});

const SURROUNDINGS: readonly { readonly name: string; readonly shell: string }[] = [
  { name: 'stdout closed', shell: 'exec "$@" >&-' },
  { name: 'stderr closed', shell: 'exec "$@" 2>&-' },
  { name: 'both closed', shell: 'exec "$@" >&- 2>&-' },
  { name: 'stdin closed', shell: 'exec "$@" <&-' },
  { name: 'stdout full', shell: 'exec "$@" >/dev/full' },
  { name: 'stdout to nobody', shell: '"$@" | true' },
  { name: 'no HOME', shell: 'unset HOME; exec "$@"' },
  { name: 'LANG=C', shell: 'LANG=C LC_ALL=C exec "$@"' },
  { name: 'TZ unknown', shell: 'TZ=Nowhere/At_All exec "$@"' },
  { name: 'TZ at the change of the clocks', shell: 'TZ=America/Sao_Paulo exec "$@"' },
  { name: 'no TERM', shell: 'unset TERM; exec "$@"' },
  { name: 'few open files', shell: 'ulimit -n 40; exec "$@"' },
  { name: 'umask 077', shell: 'umask 077; exec "$@"' },
  { name: 'nice 19', shell: 'exec nice -n 19 "$@"' },
  { name: 'ignored SIGPIPE', shell: 'trap \'\' PIPE; exec "$@" | true' },
];

test('surroundings that are not as usual', async ({ task }) => {
  const found: string[] = [];
  await together(SURROUNDINGS, async ({ name, shell }) => {
    const at = await office();
    const startedAt = Date.now();
    const nothing = openSync('/dev/null', 'r');
    const child = spawn('sh', ['-c', shell, 'sh', process.execPath, COMMAND], {
      cwd: at.folder,
      env: { PATH: process.env['PATH'], HOME: at.folder, GITEA_TOKEN: at.gitea.token },
      stdio: [nothing, 'pipe', 'pipe'],
    });
    const { code, stdout, stderr } = await finished(child);
    closeSync(nothing);
    if (code !== 0) found.push(`${name}: exit ${code}: ${stderr}`);
    found.push(...(await broken(at, startedAt, [stdout, stderr])).map((what) => `${name}: ${what}`));
  });
  task.meta.experiment = { name: 'unusual surroundings', cases: SURROUNDINGS.length, violations: found.length };
  expect(found).toEqual([]);
});
