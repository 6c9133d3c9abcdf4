// An agent owns its folder, and may put there whatever it likes: nobody else waits for that. What it may do while it is worked
// in is in racing-agent.test.ts, a folder filled at random in hostile-fuzz.test.ts.

import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { type Workspace, workspace } from '../support/command.ts';
import { conclude, RATE_MS, sampled, together } from './experiment.ts';

async function office(): Promise<Workspace> {
  const at = await workspace({
    yaml: `gitea: { url: URL, repositories: [acme/app] }\nrateLimit: ${RATE_MS}ms\nattachments: { save: true }\n`,
  });
  for (const agent of ['hans', 'greta']) mkdirSync(join(at.folder, '.agent-tasks', agent), { recursive: true });
  return at;
}

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
