// The README's first command: the main job, on real input. Without a configured server it runs against the embedded
// fake Gitea over real HTTP; with GITEA_URL, GITEA_TOKEN and GITEA_REPOSITORIES set, against that server.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seedBacklog } from './backlog.ts';
import { startFakeGitea } from './gitea/server.ts';

const COMMAND = fileURLToPath(new URL('../../bin/dispatcher.js', import.meta.url));
const workspace = mkdtempSync(join(tmpdir(), 'dispatcher-demo-'));

const { GITEA_URL, GITEA_TOKEN, GITEA_REPOSITORIES } = process.env;
const embedded = GITEA_URL && GITEA_TOKEN && GITEA_REPOSITORIES ? null : await startFakeGitea();
if (embedded) seedBacklog(embedded, new Date());
const repositories = embedded ? ['acme/app', 'acme/api'] : (GITEA_REPOSITORIES ?? '').split(/[\s,]+/u).filter(Boolean);
// A configuration of its own, and named: one that the environment or this machine has must not be touched by a demo.
const config = join(workspace, 'dispatcher.yaml');
const gitea = { url: embedded?.url ?? GITEA_URL, repositories };
writeFileSync(config, JSON.stringify(embedded ? { gitea, agents: { hans: {}, greta: {} } } : { gitea }));

// Its output goes straight to this terminal, so it behaves as it would there.
async function dispatcher(...args: string[]): Promise<number | null> {
  console.log(`\n$ dispatcher ${args.join(' ')}`.trimEnd());
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: workspace,
    env: { ...process.env, DISPATCHER_CONFIG: config, GITEA_TOKEN: embedded?.token ?? GITEA_TOKEN },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => child.on('close', resolve));
}

/** A stub in the place of an agent takes the task, comments on its issue, and finishes. */
async function showAgent(): Promise<void> {
  const [file = ''] = tasks;
  const agent = file.split('/')[1] ?? '';
  const comment =
    'fetch(`${process.env.URL}/api/v1/repos/${process.env.DISPATCHER_REF.replace("#", "/issues/")}/comments`, { method: "POST", headers: { authorization: `token ${process.env.TOKEN}`, "content-type": "application/json" }, body: JSON.stringify({ body: "Done, see the pull request." }) }).then((answer) => console.log(`commented on ${process.env.DISPATCHER_REF}: ${answer.status}`))';
  process.env['URL'] = embedded?.url;
  process.env['TOKEN'] = embedded?.token;
  console.log(`\nNow ${agent} works on it: a stub that comments on the issue stands in its place.`);
  await dispatcher('work', '--agent', agent, '--', process.execPath, '-e', comment);
  const kept = readdirSync(workspace, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('.output-'),
  );
  for (const name of kept) console.log(`\n$ cat ${name}\n${readFileSync(join(workspace, name), 'utf8').trim()}`);
  await dispatcher('status');
}

console.log(
  embedded
    ? `No server is configured: this runs against a small Gitea inside the demo, at ${embedded.url}.`
    : `This runs against ${GITEA_URL}. It only reads there; task files go to a new folder here.`,
);
console.log(`Workspace: ${workspace}`);

const code = await dispatcher();
const tasks = readdirSync(workspace, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.agent-tasks.*\.md$/u.test(name),
);
for (const task of tasks) {
  console.log(`\n$ cat ${task}`);
  console.log(readFileSync(join(workspace, task), 'utf8'));
}
if (code === 0) {
  await dispatcher('status');
  if (embedded) await showAgent();
  console.log('\nThe next pass is free to send one a minute from now. What it would choose:');
  await dispatcher('dispatch', '--dry-run', '-q');
  if (process.argv.includes('--dashboard')) await dispatcher('dashboard', '--port', '0');
  else console.log('\nThe same with the page in your browser: npm run demo -- --dashboard');
}
await embedded?.close();
process.exitCode = code ?? 1;
