// Killed anywhere: SIGKILL at every system call of a pass that can change or tell anything, by strace's fault injection.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { finished, type Workspace, workspace } from '../support/command.ts';
import { type Violation, violations } from '../support/invariants.ts';

const COMMAND = fileURLToPath(new URL('../../bin/dispatcher.js', import.meta.url));
const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;

/** What a pass does to the disk, to other processes and to the network. */
const CALLS = 'mkdir,openat,write,pwrite64,fsync,link,rename,unlink,flock,connect,sendto,writev';
const RATE_MS = 1000;
const AT_ONCE = 6;

interface Kind {
  readonly kind: string;
  readonly args: readonly string[];
  /** Puts an office into the situation in which the command is killed. */
  readonly arrange: (at: Workspace) => Promise<void>;
  /** What must be out at the end. */
  readonly due: readonly string[];
  readonly forced: boolean;
}

const KINDS: readonly Kind[] = [
  { kind: 'a dispatching pass', args: [], arrange: async () => {}, due: ['hans 1', 'hans 2'], forced: false },
  {
    kind: 'a quiet pass that archives',
    args: [],
    arrange: async (at) => {
      await at.run([]);
      await at.run([]);
      at.gitea.editIssue('acme/app#1', { state: 'closed' });
    },
    due: ['hans 1', 'hans 2'],
    forced: false,
  },
  {
    kind: 'a forced dispatch that replaces a file',
    args: ['dispatch', '--issue', '1', '--force'],
    arrange: async (at) => {
      await at.run([]);
    },
    due: ['hans 1', 'hans 2'],
    forced: true,
  },
];

async function office(): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\nupdates: { enabled: false }\n',
  });
  for (const number of [1, 2]) {
    at.gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `Issue ${number}`,
      assignees: ['hans'],
      createdAt: new Date(number * 1000),
    });
  }
  return at;
}

/** The command under strace; with `when` it is killed at that call. Answers how many calls there were. */
async function traced(
  at: Workspace,
  args: readonly string[],
  when: number | null,
): Promise<{ calls: number; output: string }> {
  const log = join(at.folder, 'trace');
  const inject = when === null ? [] : ['-e', `inject=${CALLS}:signal=KILL:when=${when}`];
  const child = spawn(
    'strace',
    ['-qq', '-o', log, '-e', `trace=${CALLS}`, ...inject, process.execPath, COMMAND, ...args],
    {
      cwd: at.folder,
      env: { PATH: process.env['PATH'], HOME: at.folder, TZ: 'Europe/Berlin', GITEA_TOKEN: at.gitea.token },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const { stdout, stderr } = await finished(child);
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /^[a-z0-9_]+\(/u.test(line)).length;
  return { calls, output: stdout + stderr };
}

/** Kills at one call, lets two more passes run, and looks at what is there. */
async function experiment({ args, arrange, due, forced }: Kind, when: number): Promise<readonly Violation[]> {
  const at = await office();
  const startedAt = Date.now();
  await arrange(at);
  const killed = await traced(at, args, when);
  const outputs = [killed.output];
  for (let pass = 0; pass < 2; pass += 1) {
    const { stdout, stderr } = await at.run([]);
    outputs.push(stdout, stderr);
  }
  return violations(at, { allowed: ['trace'], rateLimitMs: RATE_MS, startedAt, due, forced, outputs });
}

describe.skipIf(!canTrace)('killed anywhere', () => {
  test.for(KINDS)('$kind', async (kind, context) => {
    const whole = await office();
    await kind.arrange(whole);
    const { calls } = await traced(whole, kind.args, null);
    const found: string[] = [];
    const points = Array.from({ length: calls }, (_, index) => index + 1);
    const next = points.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const when of next) {
          const broken = await experiment(kind, when);
          found.push(...broken.map(({ invariant, what }) => `${invariant} when killed at call ${when}: ${what}`));
        }
      }),
    );
    context.task.meta.experiment = {
      name: `killed at every call: ${kind.kind}`,
      cases: calls,
      violations: found.length,
    };
    expect(found).toEqual([]);
    expect(calls).toBeGreaterThan(30);
  });
});
