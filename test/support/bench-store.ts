// What a quiet pass costs with the store in PostgreSQL, beside one with files; and with 100,000 tasks in its history.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuOf } from './cpu.ts';
import type { FakeGitea } from './gitea/server.ts';
import { startPostgres } from './postgres.ts';
import { noPostgres } from './postgres-process.ts';

const ROUNDS = 7;
const TASKS = 100_000;
/** What a pass with the store may cost at the most, as a multiple of one with files. */
const WANTED = 1.5;

/** What happened to a task, so often; and what is left of each of them. */
const HISTORY = `
insert into dispatcher.event (at, kind, host, key, ref, agent, attempt, detail)
  select clock_timestamp() - n * interval '70 s', kind, 'other', 'git.example.com#' || n || ':hans', 'acme/app#' || n, 'hans', 1, '{}'
  from generate_series(1, ${TASKS}) n, unnest(array['offered', 'taken', 'appeared', 'moved']) kind;
insert into dispatcher.task (key, server, issue_id, repository, number, agent, title, state, attempt, stage)
  select 'git.example.com#' || n || ':hans', 'git.example.com', n, 'acme/app', n, 'hans', 'Task ' || n, 'free', 1, null
  from generate_series(1, ${TASKS}) n;
analyze;
`;

/** Prints the figures. `command` is the path of the built command, `gitea` one in which nothing is assigned. */
export async function benchStore(command: string, { url, token }: FakeGitea): Promise<void> {
  const lacking = noPostgres();
  if (lacking !== null) {
    console.log(`\nThe store in PostgreSQL: not measured (${lacking})`);
    return;
  }
  const cluster = await startPostgres();
  const folders = ['files', 'store', 'history'].map((name) => ({
    name,
    folder: mkdtempSync(join(tmpdir(), 'dispatcher-bench-')),
  }));
  const run = (folder: string, args: readonly string[]) =>
    spawnSync(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, GITEA_TOKEN: token },
    });
  for (const { name, folder } of folders) {
    const isShared = name !== 'files';
    const store = isShared ? 'store: { urlFile: store-url }\n' : '';
    writeFileSync(join(folder, 'dispatcher.yaml'), `gitea: { url: "${url}", repositories: [acme/idle] }\n${store}`);
    if (!isShared) continue;
    cluster.sql(`create database ${name}`);
    writeFileSync(join(folder, 'store-url'), cluster.url(name));
    chmodSync(join(folder, 'store-url'), 0o600);
    const made = run(folder, [command, 'store', 'init']);
    if (made.status !== 0) throw new Error(`store init: ${made.stderr}`);
    if (name === 'history') cluster.sql(HISTORY, name);
  }
  // The first ones compile, list, and write what the others find; a configuration is known when it has not just been written.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  const environment = { GITEA_TOKEN: token };
  const times = new Map<string, number[]>(['bare', ...folders.map(({ name }) => name)].map((name) => [name, []]));
  for (let round = -2; round < ROUNDS; round += 1) {
    const bare = await cpuOf(['-e', '0'], folders[0]?.folder ?? '', environment);
    if (round >= 0) times.get('bare')?.push(bare);
    for (const { name, folder } of folders) {
      const ms = await cpuOf([command], folder, { ...environment, HOME: folder });
      if (round >= 0) times.get(name)?.push(ms);
    }
  }
  const median = (name: string): number =>
    (times.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
  const [bare, files] = [median('bare'), median('files')];
  console.log(
    `\nA quiet pass, CPU time, median of ${ROUNDS} rounds; at most ${WANTED} times the one with files is wanted\n`,
  );
  const lines = {
    files: 'with files',
    store: 'with the store in PostgreSQL',
    history: `the same, ${TASKS} tasks in its history`,
  };
  for (const [name, text] of Object.entries(lines)) {
    const ms = median(name);
    console.log(
      `${text.padEnd(48)} ${ms.toFixed(0).padStart(5)} ms   ${(ms / bare).toFixed(2)} x node   ${(ms / files).toFixed(2)} x files`,
    );
  }
  await cluster.remove();
  for (const { folder } of folders) rmSync(folder, { recursive: true, force: true });
}
