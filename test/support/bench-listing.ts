// What a quiet pass costs with few and with many open issues, and the first listing; beside the same pass in bash, curl and jq.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeGitea, startFakeGitea } from './gitea/server.ts';

const ROUNDS = 7;
const BODY = 'A body of ordinary length. '.repeat(60);
const NAIVE = `curl -s -H "Authorization: Bearer $GITEA_TOKEN" "$URL/api/v1/repos/naive/app/issues?state=open&type=issues&limit=50&page=1" |
  jq -r '.[] | select(.assignees != null) | [.number, .title, (.labels | map(.name) | join(","))] | @tsv' | sort | head -1`;

/** What no pass in Node can go without: a lock, an answer of the server, a file that is on the disk. As small as it can be. */
const LEAST = `
const fs = require('node:fs');
const lock = fs.openSync('lock', 'a');
require('node:child_process').spawn('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', lock] }).on('exit', () => {
  const headers = { authorization: 'Bearer ' + process.env.GITEA_TOKEN };
  require('node:http').get(process.env.URL + '/api/v1/repos/naive/app/issues?limit=50', { headers }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => {
      const hash = require('node:crypto').createHash('sha256').update(text).digest('hex');
      const file = fs.openSync('draft', 'w');
      fs.writeSync(file, JSON.stringify({ hash, count: JSON.parse(text).length }));
      fs.fsyncSync(file);
      fs.closeSync(file);
      fs.renameSync('draft', 'last-pass.json');
    });
  });
});`;

interface Office {
  readonly owner: string;
  readonly count: number;
  readonly assigned: number;
}

const OFFICES: readonly Office[] = [
  { owner: 'small', count: 50, assigned: 50 },
  { owner: 'middle', count: 3000, assigned: 50 },
  { owner: 'large', count: 50_000, assigned: 50 },
  { owner: 'all3', count: 3000, assigned: 3000 },
  { owner: 'all50', count: 50_000, assigned: 50_000 },
];

/** What is kept between passes, from nothing on. */
const CACHE = mkdtempSync(join(tmpdir(), 'dispatcher-bench-'));

/** Prints it. */
export async function benchListing(command: string): Promise<void> {
  const gitea = await startFakeGitea();
  // Older than the overlap of the watermark: what is younger is told again.
  const createdAt = new Date(Date.now() - 3_600_000);
  for (const { owner, count, assigned } of [...OFFICES, { owner: 'naive', count: 50, assigned: 50 }]) {
    for (let number = 1; number <= count; number += 1) {
      const assignees = number <= assigned ? ['hans'] : [];
      gitea.addIssue({ repository: `${owner}/app`, title: `Issue ${number}`, body: BODY, assignees, createdAt });
    }
  }
  gitea.addIssue({ repository: 'first/app', title: 'Issue 1', assignees: ['hans'], createdAt });
  for (let number = 2; number <= 10_000; number += 1) {
    gitea.addIssue({ repository: 'first/app', title: `Issue ${number}`, body: BODY, createdAt });
  }
  const folders = new Map(OFFICES.map(({ owner }) => [owner, folderFor(gitea, owner)]));
  for (const { owner, count } of OFFICES) {
    const passes = await firstPasses(gitea, command, folders.get(owner) ?? '', owner);
    console.log(`a first listing of ${count} open issues of ${owner}: ${passes}`);
  }
  const first = folderFor(gitea, 'first');
  console.log(`a first listing of 10000 open issues: ${await firstPasses(gitea, command, first, 'first')}\n`);
  await quiet(gitea, command, folders);
  for (const folder of [...folders.values(), first, CACHE]) rmSync(folder, { recursive: true, force: true });
  await gitea.close();
}

function folderFor({ url }: FakeGitea, owner: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-bench-'));
  // Nobody has room for more than the task of the first pass: after it, passes are quiet.
  const text = `gitea: { url: "${url}", repositories: ["${owner}/*"] }\nagents: { hans: { maxTasks: 1 } }\n`;
  writeFileSync(join(folder, 'dispatcher.yaml'), text);
  return folder;
}

async function firstPasses(gitea: FakeGitea, command: string, folder: string, owner: string): Promise<string> {
  const began = performance.now();
  const before = gitea.requests.length;
  let passes = 0;
  while (readdirSync(folder).every((name) => name !== '.agent-tasks') && passes < 20) {
    await run(process.execPath, [command], folder, gitea);
    passes += 1;
  }
  const ms = performance.now() - began;
  const requests = gitea.requests
    .slice(before)
    .filter((request) => request.includes(`/${owner}`) || request.includes(`owner=${owner}`));
  // The same requests by nobody but curl, one after the other on one connection: what the server takes for them.
  const urls = requests.map((request) => `url = "${gitea.url}${request.slice('GET '.length)}"\noutput = /dev/null\n`);
  const server = performance.now();
  await run('curl', ['-s', '-H', `Authorization: Bearer ${gitea.token}`, '-K', '-'], folder, gitea, urls.join(''));
  const alone = performance.now() - server;
  return `${passes} ${passes === 1 ? 'pass' : 'passes'}, ${requests.length} requests, ${Math.round(ms)} ms; the server alone ${Math.round(alone)} ms`;
}

/** What people look at: from local files, whatever is open. */
const LOOKS = [['status'], ['explain'], ['explain', '--issue', '50'], ['__complete', 'dispatch', '--issue', '4']];

interface Spent {
  readonly ms: number;
  readonly cpu: number;
  readonly peak: number;
}

async function quiet(gitea: FakeGitea, command: string, folders: ReadonlyMap<string, string>): Promise<void> {
  const hasNaive = spawnSync('sh', ['-c', 'command -v curl && command -v jq']).status === 0;
  const least = mkdtempSync(join(tmpdir(), 'dispatcher-bench-'));
  const cases = [
    { name: 'node -e 0', program: process.execPath, args: ['-e', '0'], folder: tmpdir() },
    ...(hasNaive
      ? [{ name: 'bash, curl and jq: 50 open', program: 'bash', args: ['-c', NAIVE], folder: tmpdir() }]
      : []),
    { name: 'a lock, a request and a file: no more', program: process.execPath, args: ['-e', LEAST], folder: least },
    ...OFFICES.map(({ owner, count, assigned }) => ({
      name: `${count} open, ${assigned} of them assigned`,
      program: process.execPath,
      args: [command],
      folder: folders.get(owner) ?? '',
    })),
    ...['small', 'all50'].flatMap((owner) =>
      LOOKS.map((look) => ({
        name: `${look.join(' ')}, ${owner === 'small' ? 50 : 50_000} candidates`,
        program: process.execPath,
        args: [command, ...look],
        folder: folders.get(owner) ?? '',
      })),
    ),
  ];
  if (!hasNaive) console.log('skipped: the pass in bash, curl and jq (curl or jq is not installed)');
  const spent = cases.map((): Spent[] => []);
  const requests = cases.map(() => 0);
  const written = cases.map(() => 0);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { program, args, folder }] of cases.entries()) {
      const before = gitea.requests.length;
      const stamp = Date.now();
      spent[index]?.push(await run(program, args, folder, gitea));
      requests[index] = gitea.requests.length - before;
      written[index] = args[0] === command ? bytesSince(join(folder, '.agent-dispatcher'), stamp) : 0;
    }
  }
  rmSync(least, { recursive: true });
  const cpus = spent.map((list) => median(list.map(({ cpu }) => cpu)));
  const at = (name: string): number => cpus[cases.findIndex((each) => each.name.startsWith(name))] ?? 1;
  console.log(`quiet passes: CPU time with children, median of ${ROUNDS} rounds; Node ${process.versions.node}`);
  for (const [index, { name, args }] of cases.entries()) {
    const cpu = cpus[index] ?? 0;
    const peak = median((spent[index] ?? []).map((each) => each.peak));
    const ratios = `${(cpu / at('node')).toFixed(2)} x node${hasNaive ? `, ${(cpu / at('bash')).toFixed(2)} x bash` : ''}, ${(cpu / at('50 open')).toFixed(2)} x 50 open`;
    const more =
      args[0] === command && args.length === 1
        ? `; ${requests[index]} requests, ${Math.round((written[index] ?? 0) / 100) / 10} kB in files it wrote to, ${Math.round(peak)} MiB`
        : args[0] === command
          ? `; ${median((spent[index] ?? []).map(({ ms }) => ms)).toFixed(0)} ms in all`
          : '';
    console.log(`${name.padEnd(38)} ${cpu.toFixed(0).padStart(5)} ms   ${ratios}${more}`);
  }
}

// Files that grow count as a whole: more than was written.
function bytesSince(folder: string, at: number): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .filter((stat) => stat.isFile() && stat.mtimeMs >= at)
    .reduce((sum, { size }) => sum + size, 0);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  gitea: FakeGitea,
  input = '',
): Promise<Spent> {
  const script = 'TIMEFORMAT="%U %S"; time "$0" "$@" >/dev/null 2>&1';
  const child = spawn('bash', ['-c', script, program, ...args], {
    cwd,
    env: { ...process.env, XDG_CACHE_HOME: CACHE, GITEA_TOKEN: gitea.token, URL: gitea.url },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const began = performance.now();
  child.stdin.end(input);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, peakOfChild(child.pid ?? 0))), 5);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  const [user = 0, system = 0] = text.trim().split(' ').map(Number);
  return { cpu: (user + system) * 1000, peak, ms: performance.now() - began };
}

// The largest that the child of that process has been, in MiB.
function peakOfChild(pid: number): number {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return Number(/VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
