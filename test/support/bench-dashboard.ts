// What the dashboard costs with 10,000 task files of 20 agents, a log of 200 MB, and 200 open pages.

import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { renderFrontMatter } from '../../src/core/task/front-matter.ts';
import { textLine } from '../../src/core/health/log-event.ts';
import { PRIORITIES } from '../../src/core/issue/priority.ts';

const AGENTS = 20;
const FILES_EACH = 500;
const LOG_BYTES = 200 * 1024 * 1024;
const PAGES = 200;

/** Prints the figures. `command` is the path of the built command. */
export async function benchDashboard(command: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-bench-'));
  fill(folder);
  const child = spawn(process.execPath, [command, 'dashboard', '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => resolve(/http:\S+/u.exec(text)?.[0] ?? ''));
    });
    await measure(url, folder, child.pid ?? 0);
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(url: string, folder: string, pid: number): Promise<void> {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  const first = await timed(`${url}/`, agent);
  const idle = descriptors(pid);
  const streams = await Promise.all(
    Array.from({ length: PAGES }, () => openStream(`${url}/api/v1/events?since=`, agent)),
  );
  await pause(500);
  // Another filter each time: a page that was rendered within the second is not rendered again.
  const alone = await inTurn((round) => timed(`${url}/?q=${round}`, agent), 21);
  const bare = await inTurn(() => timed(`${url}/healthz`, agent), 21);
  // All pages are told of a change, and all ask at once.
  const told = streams.map(
    (stream) => new Promise<number>((resolve) => stream.once('data', () => resolve(performance.now()))),
  );
  const changed = performance.now();
  writeTask(folder, 'agent-0', 99_999);
  const heard = (await Promise.all(told)).map((at) => at - changed);
  const together = await Promise.all(streams.map(() => timed(`${url}/`, agent)));
  const memory = peakMemory(pid);
  const open = descriptors(pid);
  for (const stream of streams) stream.destroy();
  agent.destroy();
  await pause(1500);
  const after = descriptors(pid);
  const ms = (value: number): string => `${value.toFixed(0).padStart(5)} ms`;
  const lines = [
    ['the first page ever asked for', ms(first)],
    ['one page, median', `${ms(median(alone))}   ${(median(alone) / median(bare)).toFixed(1)} x /healthz`],
    [`${PAGES} pages at once, median`, ms(median(together))],
    [`the last of ${PAGES} pages is told of a new file`, ms(Math.max(...heard))],
    ['memory, at its peak', `${(memory / 1024).toFixed(0).padStart(5)} MB`],
    ['descriptors: idle, with open pages, after them', `${idle} / ${open} / ${after}`],
  ];
  console.log(`\nDashboard: ${AGENTS * FILES_EACH} task files, ${LOG_BYTES >> 20} MB of log, ${PAGES} open pages\n`);
  for (const [name = '', value = ''] of lines) console.log(`${name.padEnd(48)} ${value}`);
}

function fill(folder: string): void {
  writeFileSync(join(folder, 'dispatcher.yaml'), 'gitea: { url: "http://127.0.0.1:9", repositories: [acme/app] }\n');
  for (let number = 0; number < AGENTS * FILES_EACH; number += 1) writeTask(folder, `agent-${number % AGENTS}`, number);
  const block = Array.from({ length: 5000 }, (_, index) =>
    textLine(
      { name: 'DISPATCHED', message: `agent-1 → Issue #${index} (An ordinary title of an issue) [Priority: NORMAL]` },
      index,
    ),
  ).join('\n');
  const log = join(folder, '.agent-dispatcher.log');
  for (let size = 0; size < LOG_BYTES; size += Buffer.byteLength(block) + 1) appendFileSync(log, `${block}\n`);
}

function writeTask(folder: string, agent: string, number: number): void {
  const place = join(folder, '.agent-tasks', agent);
  mkdirSync(place, { recursive: true });
  const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
  const fields = {
    schema: 'dispatcher.task/1',
    ref: `acme/app#${number}`,
    issue: number,
    repository: 'acme/app',
    url: `http://127.0.0.1:9/acme/app/issues/${number}`,
    title: `An ordinary title of issue ${number}`,
    priority: PRIORITIES[number % 4] ?? 'LOW',
    prioritySource: 'default',
    labels: ['Kind/Bug'],
    agent,
    createdAt: at,
    dispatchedAt: at,
  };
  writeFileSync(
    join(place, `issue-${number}.md`),
    `${renderFrontMatter(fields)}\n${'A line of an ordinary length.\n'.repeat(100)}`,
  );
}

async function timed(url: string, agent: Agent): Promise<number> {
  const started = performance.now();
  const response = await answer(url, agent);
  response.resume();
  await new Promise((resolve) => response.on('end', resolve));
  return performance.now() - started;
}

// Resolves when the first event is there, and leaves the rest to the reader.
async function openStream(url: string, agent: Agent): Promise<IncomingMessage> {
  const response = await answer(url, agent);
  await new Promise((resolve) => response.once('data', resolve));
  return response.on('error', () => {});
}

async function answer(url: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise(
    (resolve, reject) => void get(url, { agent, headers: { 'accept-encoding': 'gzip' } }, resolve).on('error', reject),
  );
}

async function inTurn(act: (round: number) => Promise<number>, times: number): Promise<readonly number[]> {
  const values: number[] = [];
  for (let round = 0; round < times; round += 1) values.push(await act(round));
  return values;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Kilobytes. */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
