// What it costs to look back on 100,000 events: the report, the page of the history, and a pass beside them.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY_STATE } from '../../src/core/state/state.ts';
import { anOfficeHistory, writeHistory } from './history.ts';

const DAYS = 90;
const ROUNDS = 7;
const DAY = 86_400_000;

/** Prints the figures. `command` is the path of the built command. */
export async function benchHistory(command: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-bench-'));
  const empty = mkdtempSync(join(tmpdir(), 'dispatcher-bench-'));
  const now = Date.now();
  const events = anOfficeHistory({ days: DAYS, agents: 20, from: now - DAYS * DAY, perDay: 15 });
  for (const each of [folder, empty]) {
    writeFileSync(join(each, 'dispatcher.yaml'), 'gitea: { url: "http://127.0.0.1:9", repositories: [acme/app] }\n');
    mkdirSync(join(each, '.agent-dispatcher'));
    writeFileSync(join(each, '.agent-dispatcher/state.json'), JSON.stringify(EMPTY_STATE));
  }
  writeHistory(join(folder, '.agent-dispatcher'), events);
  const run = (at: string, args: readonly string[]): number =>
    timed(() =>
      spawnSync(process.execPath, args, { cwd: at, stdio: 'ignore', env: { ...process.env, GITEA_TOKEN: 'x' } }),
    );
  const median = (act: () => number): number => middle(Array.from({ length: ROUNDS }, act));
  const bare = median(() => run(folder, ['-e', '0']));
  const lines: [string, number][] = [
    ['report, of all of it', median(() => run(folder, [command, 'report', '--since', `${DAYS}d`]))],
    ['a pass, Gitea away, this history', median(() => run(folder, [command]))],
    ['a pass, Gitea away, no history', median(() => run(empty, [command]))],
    ...(await pages(command, folder)),
  ];
  console.log(
    `\nHistory: ${events.length} events of ${DAYS} days and 20 agents; node -e 0 takes ${bare.toFixed(0)} ms\n`,
  );
  for (const [name, ms] of lines)
    console.log(`${name.padEnd(48)} ${ms.toFixed(0).padStart(5)} ms   ${(ms / bare).toFixed(1)} x node`);
  for (const each of [folder, empty]) rmSync(each, { recursive: true, force: true });
}

async function pages(command: string, folder: string): Promise<[string, number][]> {
  const child = spawn(process.execPath, [command, 'dashboard', '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => resolve(/http:\S+/u.exec(text)?.[0] ?? ''));
    });
    const lines: [string, number][] = [];
    for (const range of ['week', 'month', 'all']) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const started = performance.now();
        await (await fetch(`${url}/history?range=${range}`)).text();
        times.push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, 1050));
      }
      lines.push([`the page, ${range}, made anew`, middle(times)]);
    }
    return lines;
  } finally {
    child.kill('SIGKILL');
  }
}

function timed(act: () => void): number {
  const started = performance.now();
  act();
  return performance.now() - started;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
