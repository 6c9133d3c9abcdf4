// An agent's folder filled at random, by an agent who may make whatever the kernel lets him, and by root, who makes the rest: in
// every pass everybody else gets what is theirs, in time, and nothing outside is touched. A failing case says its number;
// the cases are the same in every run.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { type RolesOffice, rolesOffice } from '../support/roles.ts';
import { conclude, RATE_MS, sampled, together } from './experiment.ts';

// Not synchronous: the server of the case beside it is in this process, and must go on answering.
const run = promisify(execFile);

const SEED = 20_261_125;
const CASES = 32;
/** His task, dispatched again each time that its file is gone, may go before hers: not more. */
const MOST_PASSES = 3;
/** What a pass may take beside such a folder, on a machine that does other things as well. */
const IN_TIME_MS = 15_000;
const HANS = 47_112;
const STRANGER = 4712;

/** Something in the folder: of a kind, at a path, whose, with which mode. */
const KINDS = ['link', 'pipe', 'socket', 'device', 'hole', 'task', 'text', 'folder', 'deep', 'many', 'leased'] as const;
const name = fc.oneof(
  fc.constantFrom('done', 'doing', 'blocked', 'archive', 'acme', 'app', 'issue-1.md', 'issue-1.attachments', '.wake'),
  fc.constantFrom('issue-1.update-1.md', '.issue-1.md.x.tmp', 'issue-2.md', '.dispatcher.json', 'work.log', 'x.md'),
  fc.constantFrom(
    `${'x'.repeat(252)}.md`,
    `${'€'.repeat(84)}.md`,
    'a\nb.md',
    '\u001B[2J.md',
    '-rf.md',
    '*',
    '\u202E.md',
  ),
  fc.stringMatching(/^[^/\0]{1,20}$/u).filter((text) => text !== '.' && text !== '..'),
);
const thing = fc.record({
  kind: fc.constantFrom(...KINDS),
  path: fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/')),
  target: fc.constantFrom(
    '/',
    '.',
    '..',
    '../greta',
    '../greta/issue-2.md',
    '/dev/zero',
    '/proc/self/fd',
    'nothing',
    '../../private',
  ),
  owner: fc.constantFrom(HANS, HANS, HANS, STRANGER, 0),
  mode: fc.constantFrom(0o755, 0o700, 0o000, 0o777, 0o2775, 0o1777),
  count: fc.constantFrom(10, 1000, 9_999, 20_000, 100_000),
});
type Thing = typeof thing extends fc.Arbitrary<infer T> ? T : never;

const SOCKET = 'require("node:net").createServer().listen(process.argv[1], () => process.exit())';
const LEASE = `import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
time.sleep(120)`;

// As root: what a name is taken for already, or the system refuses, is left out.
async function make(home: string, { kind, path, target, owner, mode, count }: Thing): Promise<ChildProcess | null> {
  const at = join(home, path);
  try {
    mkdirSync(dirname(at), { recursive: true });
    if (kind === 'leased') return await leased(at);
    if (kind === 'link') symlinkSync(target, at);
    else if (kind === 'pipe') await run('mkfifo', ['--', at]);
    else if (kind === 'socket') await run(process.execPath, ['-e', SOCKET, '--', at]);
    else if (kind === 'device') await run('mknod', ['--', at, 'c', '1', '5']);
    else if (kind === 'deep') mkdirSync(join(at, 'd/'.repeat(300)), { recursive: true });
    else if (kind === 'folder') mkdirSync(at);
    else if (kind === 'many') {
      mkdirSync(at);
      await run('sh', ['-c', 'cd "$1" && seq -f "issue-%.0f.md" 1 "$2" | xargs touch', 'sh', at, String(count)]);
    } else {
      writeFileSync(at, kind === 'task' ? TASK : kind === 'text' ? `---\n${'a: "b"\n'.repeat(count)}` : '', {
        flag: 'wx',
      });
      if (kind === 'hole') truncateSync(at, 1024 ** 4);
    }
    if (kind === 'link') return null;
    chownSync(at, owner, owner);
    chmodSync(at, mode);
  } catch {
    // It is one thing less.
  }
  return null;
}

/** A file that whoever opens it has to wait for, unless he says that he will not. Its owner may ask for that. */
async function leased(path: string): Promise<ChildProcess> {
  const line = ['--reuid=47112', '--regid=47112', '--clear-groups', '/usr/bin/python3', '-c', LEASE, path];
  const holder = spawn('setpriv', line, { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => {
    holder.stdout?.once('data', resolve);
    holder.once('exit', resolve);
  });
  return holder;
}

const TASK =
  '---\nschema: "dispatcher.task/1"\nref: "acme/app#2"\nurl: "http://x/acme/app/issues/2"\nissueId: 2\n---\n';

function picture(folder: string): string {
  return readdirSync(folder)
    .toSorted()
    .map(
      (each) => `${each} ${statSync(join(folder, each)).mode} ${readFileSync(join(folder, each), 'utf8').slice(0, 99)}`,
    )
    .join('\n');
}

async function broken(at: RolesOffice, things: readonly Thing[]): Promise<readonly string[]> {
  const hans = join(at.tasksFolder, 'hans');
  const outside = join(at.folder, 'private');
  mkdirSync(outside);
  writeFileSync(join(outside, 'issue-1.md'), 'PRIVATE');
  for (const path of [outside, join(outside, 'issue-1.md')]) chownSync(path, 47_111, 47_111);
  const issue = (number: number, agent: string): void =>
    void at.gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `${number}`,
      assignees: [agent],
      createdAt: new Date(number),
    });
  issue(1, 'hans');
  await at.runAs('dispatcher', []);
  const before = picture(outside);
  const holders: (ChildProcess | null)[] = [];
  for (const each of things) holders.push(await make(hans, each));
  const found: string[] = [];
  const timed = async (what: string, codes: readonly number[], args: readonly string[]): Promise<void> => {
    const startedAt = Date.now();
    const { code, stderr } = await at.runAs('dispatcher', args);
    if (!codes.includes(code ?? -1)) found.push(`${what}: exit ${code}: ${stderr.slice(0, 500)}`);
    if (Date.now() - startedAt > IN_TIME_MS) found.push(`${what}: ${Date.now() - startedAt} ms`);
  };
  try {
    for (const number of [2, 3]) {
      issue(number, 'greta');
      if (number === 3) at.gitea.editIssue('acme/app#2', { state: 'closed' });
      const file = join(at.tasksFolder, 'greta', `issue-${number}.md`);
      for (let pass = 1; pass <= MOST_PASSES && !existsSync(file); pass += 1) {
        await pause(RATE_MS);
        await timed(`pass ${pass} for #${number}`, [0], []);
      }
      if (!existsSync(file)) found.push(`greta has not got #${number}`);
    }
    if (!existsSync(join(at.tasksFolder, 'greta/archive/issue-2.md')))
      found.push('what is over is not archived for greta');
    for (const args of [['status'], ['explain'], ['status', '--json'], ['dispatch', '--dry-run']])
      await timed(args.join(' '), [0], args);
    await timed('doctor', [0, 1], ['doctor']);
  } finally {
    for (const holder of holders) holder?.kill('SIGKILL');
  }
  if (picture(outside) !== before) found.push('something outside is not as it was');
  const strange = readdirSync(join(at.tasksFolder, 'greta')).filter(
    (each) => !/^(?:issue-[23]\.md|doing|done|blocked|archive|\.wake)$/u.test(each),
  );
  if (strange.length > 0) found.push(`in the folder of greta: ${strange.join(', ')}`);
  await run('rm', ['-rf', hans]);
  return found;
}

test.runIf(CAN_BE_ANOTHER)('a folder filled at random', async (context) => {
  const folders = fc.sample(fc.array(thing, { minLength: 1, maxLength: 12 }), { seed: SEED, numRuns: CASES });
  const cases = sampled([...folders.entries()]);
  const found = await together(
    cases,
    async ([number, things]) =>
      (await broken(await rolesOffice(), things)).map(
        (what) =>
          `case ${number} (${things.map(({ kind, path }) => `${kind} ${JSON.stringify(path)}`).join(', ')}): ${what}`,
      ),
    2,
  );
  conclude(context, "an agent's folder filled at random", cases.length, found);
});
