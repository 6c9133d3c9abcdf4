// An agent owns its folder, and may do anything there at any moment. Nothing outside it is written, moved, made readable or
// shown for that, and nobody else waits.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { readTask } from '../../src/io/tasks/read-task.ts';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { type Workspace, workspace } from '../support/command.ts';
import { conclude, RATE_MS, sampled, together } from './experiment.ts';

/** CI does a quarter of it. */
const RACE_MS = 60_000 / Number(process.env['DISPATCHER_TEST_EVERY'] ?? 6);

// Swaps every name in its folder, and those that the dispatcher needs, against links out of it and back, as fast as it can.
const RACER = `
const fs = require('node:fs'), path = require('node:path');
const home = process.argv[1], away = [process.argv[2], '../greta', '../../private/deep'];
const known = ['done', 'archive', 'doing', 'blocked', 'issue-1.attachments', 'issue-1.md', 'issue-2.md', 'issue-1.update-1.md'];
const tried = (work) => { try { return work(); } catch {} };
for (let turn = 0; ; turn += 1) {
  const names = [...(tried(() => fs.readdirSync(home)) ?? []), ...known];
  const name = path.join(home, names[(turn * 7919) % names.length]);
  const aside = path.join(home, '.aside-' + (turn % 50));
  tried(() => fs.renameSync(name, aside));
  tried(() => fs.symlinkSync(away[turn % away.length] + (name.endsWith('.md') ? '/secret.md' : ''), name));
  for (let wait = 0; wait < (turn % 5) * 400; wait += 1) Math.sqrt(wait);
  tried(() => fs.unlinkSync(name));
  tried(() => fs.renameSync(aside, name));
  if (turn % 3000 === 0) { tried(() => fs.renameSync(home, home + '.away')); tried(() => fs.symlinkSync(away[0], home)); tried(() => fs.unlinkSync(home)); tried(() => fs.renameSync(home + '.away', home)); }
}`;

/** Everything below a folder: what it is, its mode, and what is in it. */
function pictureOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const stat = statSync(join(folder, name));
      return `${name} ${stat.mode.toString(8)} ${stat.isFile() ? readFileSync(join(folder, name), 'utf8') : ''}`;
    })
    .join('\n');
}

async function office(): Promise<Workspace> {
  const at = await workspace({
    yaml: `gitea: { url: URL, repositories: [acme/app] }\nrateLimit: ${RATE_MS}ms\nattachments: { save: true }\n`,
  });
  for (const agent of ['hans', 'greta']) mkdirSync(join(at.folder, '.agent-tasks', agent), { recursive: true });
  return at;
}

test('an agent that swaps every name in its folder while passes write, archive, tell and force', async (context) => {
  const at = await office();
  const outside = join(at.folder, 'private');
  mkdirSync(join(outside, 'deep'), { recursive: true });
  for (const name of ['secret.md', 'issue-1.md', 'deep/secret.md']) at.write(`private/${name}`, 'PRIVATE');
  chmodSync(outside, 0o700);
  const tasks = join(at.folder, '.agent-tasks');
  const before = pictureOf(outside);
  const issues = [1, 2].map((number) =>
    at.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees: ['hans'] }),
  );
  at.gitea.addIssue({ repository: 'acme/app', number: 9, title: 'Issue 9', assignees: ['greta'] });
  await at.run([]);
  const racer: ChildProcess = spawn(process.execPath, ['-e', RACER, join(tasks, 'hans'), outside], { stdio: 'ignore' });
  const found: string[] = [];
  let isOver = false;
  let shown = 0;
  const reader = (async (): Promise<void> => {
    for (; !isOver; await setImmediate()) {
      for (const file of ['issue-1.md', 'done/secret.md', 'archive/issue-1.md', 'doing/secret.md', 'issue-2.md']) {
        shown += 1;
        if (readTask(tasks, 'hans', file)?.text.includes('PRIVATE')) found.push(`shown: ${file}`);
      }
    }
  })();
  let passes = 0;
  try {
    for (const end = Date.now() + RACE_MS; Date.now() < end; passes += 1) {
      const [issue] = issues;
      if (issue) Object.assign(issue, { state: passes % 4 === 3 ? 'closed' : 'open', updatedAt: new Date() });
      const { code, stderr } = await at.run(passes % 3 === 2 ? ['dispatch', '--issue', '2', '--force'] : []);
      if (![0, 1, 5, 75].includes(code ?? -1)) found.push(`exit ${code}: ${stderr}`);
    }
  } finally {
    isOver = true;
    racer.kill('SIGKILL');
    await reader;
  }
  if (pictureOf(outside) !== before) found.push('something outside is not as it was');
  const others = readdirSync(join(tasks, 'greta'), { recursive: true, encoding: 'utf8' });
  for (const name of others.filter((file) => file.endsWith('.md') && !/issue-9/u.test(file)))
    found.push(`in the folder of greta: ${name}`);
  conclude(context, `names that change while they are used (${RACE_MS / 1000} s)`, passes + shown, found);
});

type Spoiler = (home: string) => unknown;

// Not synchronous: the server of the case beside it is in this process, and must go on answering.
const sh = async (script: string, home: string): Promise<unknown> =>
  promisify(execFile)('sh', ['-c', script, 'sh', home]);

const SPOILERS: Readonly<Record<string, Spoiler>> = {
  links: (home) => ['done', 'archive', 'issue-1.md', 'acme'].forEach((name) => symlinkSync('/', join(home, name))),
  'a circle of links': (home) => symlinkSync('.', join(home, 'doing')),
  pipes: (home) => ['done', 'issue-1.md', 'x.md', '.issue-1.md.a.tmp'].forEach((name) => pipe(home, name)),
  'a socket': (home) => execFileSync(process.execPath, ['-e', SOCKET, join(home, 'issue-1.md')]),
  'a hole of 1 TB': (home) => {
    for (const name of ['issue-1.md', 'x.md']) {
      writeFileSync(join(home, name), '---\n');
      truncateSync(join(home, name), 1024 ** 4);
    }
  },
  '100,000 names': async (home) => sh('cd "$1" && seq -f "issue-%.0f.md" 1 100000 | xargs touch', home),
  '3,000 nested folders': async (home) =>
    sh('cd "$1"; i=0; while [ $i -lt 3000 ]; do mkdir d && cd -P d || exit; i=$((i+1)); done', home),
  'names of 255 bytes and with line breaks': (home) => {
    for (const name of ['x'.repeat(252) + '.md', 'a\nb.md', '\u001B[2J.md', '€'.repeat(84) + '.md', '-rf', '*'])
      writeFileSync(join(home, name), '');
    writeFileSync(Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.md')]), '');
  },
  'a folder in the place of the file': (home) => mkdirSync(join(home, 'issue-1.md/issue-1.md'), { recursive: true }),
  'a draft that is a folder': (home) => mkdirSync(join(home, '.issue-1.md.random.tmp/x'), { recursive: true }),
  'front matter of 10 MB': (home) => writeFileSync(join(home, 'x.md'), `---\n${'a: "b"\n'.repeat(1_500_000)}`),
  'one task a thousand times': (home) => {
    for (let copy = 0; copy < 1000; copy += 1) writeFileSync(join(home, `${copy}.md`), TASK);
  },
  ...(CAN_BE_ANOTHER && {
    devices: (home: string) => {
      execFileSync('mknod', [join(home, 'issue-1.md'), 'c', '1', '5']);
      execFileSync('mknod', [join(home, 'done'), 'b', '7', '200']);
    },
    'other owners': (home: string) => {
      mkdirSync(join(home, 'done'), { mode: 0o700 });
      chownSync(join(home, 'done'), 4712, 4712);
      chownSync(home, 4712, 4712);
    },
  }),
};

const TASK =
  '---\nschema: "dispatcher.task/1"\nref: "acme/app#1"\nurl: "http://x/acme/app/issues/1"\nissueId: 1\n---\n';
const SOCKET = 'require("node:net").createServer().listen(process.argv[1], () => process.exit())';

function pipe(home: string, name: string): void {
  execFileSync('mkfifo', [join(home, name)]);
}

/** What a pass may take beside a folder that is spoilt. */
const IN_TIME_MS = 15_000;

test('anything that may lie in a folder', async (context) => {
  const cases = sampled(Object.entries(SPOILERS));
  const found = await together(
    cases,
    async ([name, spoil]) => {
      const at = await office();
      at.gitea.addIssue({ repository: 'acme/app', number: 1, labels: ['critical'], assignees: ['hans'] });
      at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['greta'] });
      await at.run(['pause']);
      await at.run([]);
      await at.run(['resume']);
      await spoil(join(at.folder, '.agent-tasks/hans'));
      const broken: string[] = [];
      for (let pass = 0; pass < 2; pass += 1) {
        const startedAt = Date.now();
        const { code, stderr } = await at.run([]);
        if (code !== 0) broken.push(`${name}: exit ${code}: ${stderr}`);
        if (Date.now() - startedAt > IN_TIME_MS) broken.push(`${name}: ${Date.now() - startedAt} ms`);
        await new Promise((resolve) => void setTimeout(resolve, RATE_MS));
      }
      if (!readdirSync(join(at.folder, '.agent-tasks/greta')).includes('issue-2.md'))
        broken.push(`${name}: greta waits`);
      for (const words of [['status'], ['explain'], ['status', '--json']])
        if ((await at.run(words)).code !== 0) broken.push(`${name}: ${words.join(' ')} fails`);
      await sh('rm -rf "$1"', join(at.folder, '.agent-tasks/hans'));
      return broken;
    },
    2,
  );
  conclude(context, 'an agent folder full of what does not belong there', cases.length, found);
});
