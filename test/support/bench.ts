// `npm run bench`: what a pass costs, as multiples of `node -e 0` measured in the same run, and what the dashboard costs.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchDashboard } from './bench-dashboard.ts';
import { benchHistory } from './bench-history.ts';
import { benchListing } from './bench-listing.ts';
import { benchStore } from './bench-store.ts';
import { cpuOf } from './cpu.ts';
import { PRIORITIES } from '../../src/core/issue/priority.ts';
import { type FakeGitea, startFakeGitea } from './gitea/server.ts';
import { addTask } from './mailbox.ts';

const COMMAND = fileURLToPath(new URL('../../bin/dispatcher.js', import.meta.url));
const ROUNDS = 11;
/** A machine's own certificates, which each Node reads that opens a connection, are nobody's cost here. */
delete process.env['NODE_EXTRA_CA_CERTS'];

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly repository?: string;
  readonly fresh?: boolean;
  /** So many are in the folder of hans in the first round; each round takes one. */
  readonly taskFiles?: number;
}

async function measure({ url, token }: FakeGitea): Promise<void> {
  const cases: readonly Case[] = [
    { name: 'node -e 0', args: ['-e', '0'] },
    { name: 'dispatcher --version (load the bundle)', args: [COMMAND, '--version'] },
    { name: 'dispatcher status', args: [COMMAND, 'status'], fresh: true },
    { name: 'dispatcher next, 10 task files', args: [COMMAND, 'next'], taskFiles: 10 },
    { name: 'dispatcher next, 10,000 task files', args: [COMMAND, 'next'], taskFiles: 10_000 },
    { name: 'a pass, nothing assigned, 50 open issues', args: [COMMAND], repository: 'acme/idle' },
    { name: 'a pass, 50 candidates, no slot', args: [COMMAND] },
    { name: 'a pass that dispatches, 50 candidates', args: [COMMAND], fresh: true },
  ];
  const times = cases.map((): number[] => []);
  const folders = cases.map(() => mkdtempSync(join(tmpdir(), 'dispatcher-bench-')));
  for (const [index, { taskFiles = 0 }] of cases.entries())
    for (let issue = 1; issue <= taskFiles + (taskFiles > 0 ? ROUNDS : 0); issue += 1)
      addTask({ folder: folders[index] ?? '' }, `hans/issue-${issue}.md`, {
        priority: PRIORITIES[issue % PRIORITIES.length],
      });
  // Round by round, not case by case: what else the machine does hits all alike.
  const environment = { GITEA_TOKEN: token, DISPATCHER_AGENT: 'hans', DISPATCHER_TASKS: '.agent-tasks' };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { args, repository = 'acme/app', fresh }] of cases.entries()) {
      const folder = folders[index] ?? '';
      if (fresh) rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'dispatcher.yaml'), `gitea: { url: "${url}", repositories: [${repository}] }\n`);
      times[index]?.push(await cpuOf(args, folder, environment));
    }
  }
  const medians = times.map((list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0);
  const base = medians[0] ?? 1;
  console.log(
    `CPU time, user and system, children included; median of ${ROUNDS} rounds; Node ${process.versions.node}\n`,
  );
  for (const [index, { name }] of cases.entries()) {
    const median = medians[index] ?? 0;
    console.log(`${name.padEnd(42)} ${median.toFixed(0).padStart(5)} ms   ${(median / base).toFixed(2)} x`);
  }
  const cost = (name: string): number => medians[cases.findIndex((each) => each.name.startsWith(name))] ?? 0;
  const beyond = cost('dispatcher next, 10,000') - cost('dispatcher --version');
  console.log(
    `\nnext among 10,000 task files, beyond loading: ${(beyond / base).toFixed(2)} x node -e 0 (wanted: at most 1.5)`,
  );
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

const gitea = await startFakeGitea();
const body = 'A body of ordinary length. '.repeat(60);
for (let number = 1; number <= 50; number += 1) {
  gitea.addIssue({ repository: 'acme/app', title: `Issue ${number}`, body, assignees: ['hans'] });
  gitea.addIssue({ repository: 'acme/idle', title: `Issue ${number}`, body });
}
await measure(gitea);
await benchStore(COMMAND, gitea);
await gitea.close();
await benchListing(COMMAND);
await benchDashboard(COMMAND);
await benchHistory(COMMAND);
