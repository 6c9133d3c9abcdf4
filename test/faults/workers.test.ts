// Many workers of one agent, killed at random; and the agent's commands killed at every call. What must hold of the workers:
// W1, one at a time works on a task; W2, what is taken is the most urgent of what is new; W3, each is finished once, and none is lost.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMAND, finished } from '../support/command.ts';
import { addTask } from '../support/mailbox.ts';
import { conclude, sampled, together } from './experiment.ts';

const EVERY = Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1);
const WORKERS = 20;

interface Office {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

function office(issues: number): Office {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-workers-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (let issue = 1; issue <= issues; issue += 1)
    addTask({ folder }, `hans/issue-${issue}.md`, { priority: issue % 10 === 0 ? 'HIGH' : 'NORMAL' });
  const environment = {
    PATH: process.env['PATH'],
    HOME: folder,
    DISPATCHER_AGENT: 'hans',
    DISPATCHER_TASKS: join(folder, '.agent-tasks'),
  };
  return { folder, environment };
}

/** Every task file, by its issue, with the places where it is. */
function placesOf({ folder }: Office): ReadonlyMap<number, readonly string[]> {
  const root = join(folder, '.agent-tasks/hans');
  const places = new Map<number, readonly string[]>();
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const issue = Number(/(?:^|\/)issue-(\d+)\.md$/u.exec(name)?.[1] ?? 0);
    if (issue > 0) places.set(issue, [...(places.get(issue) ?? []), name]);
  }
  return places;
}

/** How often a task was found whose worker had been killed at it. */
function lostRuns({ folder }: Office): number {
  const done = join(folder, '.agent-tasks/hans/done');
  const records = readdirSync(done).filter((name) => name.endsWith('.work.json'));
  const texts = records.map((name) => readFileSync(join(done, name), 'utf8'));
  return texts.reduce((count, text) => count + (text.match(/"gone"/gu)?.length ?? 0), 0);
}

// Says when it begins, with what is new then, and when it ends; that two work on one task at a time would show as two
// beginnings without an end.
const AGENT = `[ -z "$HERE" ] || : > "$HERE"; echo "begin $DISPATCHER_REF $$ $(cd "$DISPATCHER_TASKS/hans" && echo issue-*.md)" >> "$LOG"; sleep 0.4; echo "end $DISPATCHER_REF $$" >> "$LOG"`;

/** Whether one issue goes before another: every tenth is HIGH, and the smaller number is the older one. */
function goesBefore(one: number, other: number): boolean {
  const [a, b] = [Number(one % 10 !== 0), Number(other % 10 !== 0)];
  return a === b ? one < other : a < b;
}

/** What stayed new although it was more urgent than what was begun. */
function passedOver(ref: string, left: readonly string[]): readonly string[] {
  const begun = Number(/\d+$/u.exec(ref)?.[0]);
  return left.filter((name) => goesBefore(Number(/\d+/u.exec(name)?.[0] ?? Infinity), begun));
}

test(`${WORKERS} workers are killed at random: each task is finished once, by one at a time, the most urgent first, and none is lost`, async (context) => {
  const issues = Math.ceil(500 / EVERY);
  const at = office(issues);
  const log = join(at.folder, 'log');
  appendFileSync(log, '');
  // A lost run counts as an attempt; here every run may be lost.
  appendFileSync(
    join(at.folder, '.agent-tasks/.dispatcher.json'),
    JSON.stringify({
      schema: 'dispatcher.settings/1',
      stalledAfterMs: 86_400_000,
      taskFile: 'issue-{number}.md',
      attempts: { hans: 100 },
    }),
  );
  const until = performance.now() + 480_000;
  let kills = 0;
  // How long a run takes here, by those that were not killed: kills are to hit all of it, however slow the machine is.
  let life = 500;
  const kill = async (child: ChildProcess, here: string | null): Promise<void> => {
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    while (here !== null && !existsSync(here) && !hasEnded()) await after(10);
    await after(Math.random() * (here === null ? life : 400));
    if (!hasEnded() && child.kill('SIGKILL')) kills += 1;
  };
  const worker = async (number: number): Promise<void> => {
    for (let idle = 0; idle < 3 && performance.now() < until;) {
      const here = join(at.folder, `at-work-${randomUUID()}`);
      const child: ChildProcess = spawn(process.execPath, [COMMAND, '-q', 'work', '--', 'sh', '-c', AGENT], {
        cwd: at.folder,
        env: { ...at.environment, LOG: log, HERE: here },
        stdio: 'ignore',
      });
      const startedAt = performance.now();
      // Every third one or so, anywhere between its start and its end, or while its command runs.
      if ((number * 7 + kills + idle) % 3 === 0) void kill(child, Math.random() < 0.5 ? here : null);
      const { code } = await finished(child);
      if (code === 0) life = life * 0.8 + (performance.now() - startedAt) * 0.2;
      idle = code === 6 ? idle + 1 : 0;
      if (code === 6) await after(300);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, async (_, number) => worker(number)));
  const found: string[] = [];
  for (const [issue, places] of placesOf(at))
    if (places.length !== 1 || places[0] !== `done/issue-${issue}.md`)
      found.push(`W3 ${issue} is at ${places.join(', ')}`);
  if (placesOf(at).size !== issues) found.push(`W3 ${issues - placesOf(at).size} tasks are lost`);
  const busy = new Map<string, string>();
  for (const [what = '', ref = '', pid = '', ...left] of readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))) {
    if (what === 'begin' && busy.has(ref)) found.push(`W1 two work on ${ref}`);
    const before = what === 'begin' ? passedOver(ref, left) : [];
    if (before.length > 0) found.push(`W2 ${ref} was taken before ${before.slice(0, 5).join(', ')}`);
    if (what === 'begin') busy.set(ref, pid);
    else busy.delete(ref);
  }
  conclude(context, `${WORKERS} workers over ${issues} tasks, killed at random`, kills, found);
  // Not all before they had taken anything.
  expect(lostRuns(at)).toBeGreaterThan(kills / 10);
}, 600_000);

const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;
const CALLS = 'mkdir,openat,write,fsync,rename,unlink,unlinkat,clone,clone3,vfork,kill';

describe.skipIf(!canTrace)('killed at every call', () => {
  const taken = ['next'];
  test.for<{ kind: string; before: readonly (readonly string[])[]; args: readonly string[] }>([
    { kind: 'next', before: [], args: ['next'] },
    { kind: 'done', before: [taken], args: ['done'] },
    { kind: 'block', before: [taken], args: ['block', '--reason', 'x'] },
    { kind: 'release', before: [taken], args: ['release'] },
    { kind: 'work', before: [], args: ['work', '--', 'sh', '-c', AGENT] },
  ])('$kind', { timeout: 400_000 }, async ({ kind, before, args }, context) => {
    const run = async (at: Office, command: readonly string[]) =>
      finished(
        spawn(process.execPath, [COMMAND, ...command], {
          cwd: at.folder,
          env: { ...at.environment, LOG: join(at.folder, 'log') },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    const prepared = async (): Promise<Office> => {
      const at = office(1);
      for (const command of before) await run(at, command);
      return at;
    };
    const traced = async (at: Office, inject: readonly string[]): Promise<readonly string[]> => {
      const child = spawn(
        'strace',
        [
          '-qq',
          '-y',
          '-o',
          join(at.folder, 'trace'),
          '-e',
          `trace=${CALLS}`,
          ...inject,
          process.execPath,
          COMMAND,
          ...args,
        ],
        {
          cwd: at.folder,
          env: { ...at.environment, LOG: join(at.folder, 'log') },
          stdio: 'ignore',
        },
      );
      await finished(child);
      return readFileSync(join(at.folder, 'trace'), 'utf8')
        .split('\n')
        .filter((line) => /^[a-z0-9_]+\(/u.test(line));
    };
    const whole = await prepared();
    const counts = new Map<string, number>();
    const points = (await traced(whole, [])).flatMap((call) => {
      const name = /^\w+/u.exec(call)?.[0] ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return call.includes(whole.folder) || /^(?:clone|vfork|kill)/u.test(call)
        ? [{ name, nth: counts.get(name) ?? 0 }]
        : [];
    });
    const found = await together(sampled(points), async ({ name, nth }) => {
      const at = await prepared();
      await traced(at, ['-e', `inject=${name}:signal=KILL:when=${nth}`]);
      const [places = []] = placesOf(at).values();
      const broken =
        places.length === 1 ? [] : [`W3 killed at ${name} ${nth}: it is at ${places.join(', ') || 'no place'}`];
      // What a killed worker started ends; then everybody can go on as if nothing had been.
      await after(600);
      await run(at, ['release', '1']);
      const next = await run(at, ['next']);
      await run(at, ['done', '1']);
      if (next.code !== 0 || !existsSync(join(at.folder, '.agent-tasks/hans/done/issue-1.md')))
        broken.push(`W3 killed at ${name} ${nth}: afterwards next ended with ${next.code}: ${next.stderr}`);
      const lines = existsSync(join(at.folder, 'log'))
        ? readFileSync(join(at.folder, 'log'), 'utf8').trim().split('\n')
        : [];
      if (lines.length > 2) broken.push(`W1 killed at ${name} ${nth}: it was worked on twice at a time`);
      return broken;
    });
    conclude(context, `killed at every call: ${kind}`, sampled(points).length, found);
    expect(points.length).toBeGreaterThan(5);
  });
});
