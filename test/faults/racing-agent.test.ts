// A racing agent, as the Unix user that owns nothing but its folder: it swaps every name there, and those that the dispatcher
// needs, against links out of it and back, as fast as it can, while passes archive, tell news, save attachments, dispatch and
// force. The dispatcher's account may write behind those links: whatever is not there afterwards as it was, it was led to.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'vitest';
import { readTask } from '../../src/io/tasks/read-task.ts';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { NODE } from '../support/command.ts';
import { as, DISPATCHER, type RolesOffice, rolesOffice } from '../support/roles.ts';
import { addIssues, conclude } from './experiment.ts';

/** CI races for a shorter time; less would be over before each kind of work was done. */
const RACE_MS = Math.max(25_000, 60_000 / Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1));

const RACER = `
const fs = require('node:fs'), path = require('node:path');
const home = process.argv[1], away = [process.argv[2], '../greta', '../../private/deep'];
const known = ['done', 'archive', 'doing', 'blocked', 'issue-1.attachments', 'issue-2.attachments', 'issue-3.attachments',
  'issue-1.md', 'issue-2.md', 'issue-3.md', 'issue-3.update-1.md', 'issue-3.update-2.md'];
const tried = (work) => { try { return work(); } catch {} };
const idle = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const mend = (name) => {
  const stat = fs.lstatSync(name);
  if (stat.isSymbolicLink() || (!stat.isDirectory() && !name.endsWith('.md'))) fs.unlinkSync(name);
};
for (let turn = 0; ; turn += 1) {
  const names = [...(tried(() => fs.readdirSync(home)) ?? []).filter((name) => !name.startsWith('.aside-')), ...known];
  const name = path.join(home, names[(turn * 7919) % names.length]);
  const aside = path.join(home, '.aside-' + (turn % 50));
  const isAside = tried(() => (fs.renameSync(name, aside), true));
  tried(() => fs.symlinkSync(away[turn % away.length] + (name.endsWith('.md') ? '/secret.md' : ''), name));
  for (let wait = 0; wait < (turn % 5) * 400; wait += 1) Math.sqrt(wait);
  tried(() => fs.unlinkSync(name));
  if (isAside) tried(() => fs.renameSync(aside, name));
  // What got into a wrong place for good would hold up everything for good.
  if (turn % 200 === 0) for (const each of known) tried(() => mend(path.join(home, each)));
  // All of the time nothing would ever be where it is looked for, and no work begin.
  if (turn % 40 === 0) idle(turn % 3);
}`;

/** Everything below a folder: what it is, whose, its mode, and what is in it. */
function pictureOf(folder: string): string {
  return ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]
    .toSorted()
    .map((name) => {
      const stat = lstatSync(join(folder, name));
      const text = stat.isFile() ? readFileSync(join(folder, name), 'utf8') : '';
      return `${name} ${stat.uid} ${stat.mode.toString(8)} ${text}`;
    })
    .join('\n');
}

async function office(): Promise<RolesOffice> {
  const at = await rolesOffice({ more: 'attachments: { save: true }\n' });
  mkdirSync(join(at.folder, 'private/deep'), { recursive: true });
  for (const name of ['secret.md', 'issue-1.md', 'deep/secret.md']) at.write(`private/${name}`, 'PRIVATE');
  for (const name of ['', ...readdirSync(join(at.folder, 'private'), { recursive: true, encoding: 'utf8' })]) {
    chownSync(join(at.folder, 'private', name), DISPATCHER, DISPATCHER);
    chmodSync(join(at.folder, 'private', name), name.endsWith('.md') ? 0o600 : 0o700);
  }
  addIssues(at, [1, 2, 3], (number) => ({ attachments: [{ name: `${number}.png`, size: 1000 }] }));
  at.gitea.addIssue({ repository: 'acme/app', number: 9, title: 'Issue 9', assignees: ['greta'] });
  return at;
}

// What failed in the race would have to wait for minutes, what was told often enough is told no more, and slots take time.
function withoutWaits(at: RolesOffice): void {
  const path = '.agent-dispatcher/state.json';
  const state = JSON.parse(at.read(path)) as { tasks: Record<string, object> | null };
  const tasks = Object.entries(state.tasks ?? {}).map(([key, task]) => [key, { ...task, updates: 0, dispatches: 1 }]);
  at.write(path, JSON.stringify({ ...state, lastDispatch: null, turns: {}, tasks: Object.fromEntries(tasks) }));
}

/** What a round does, and changes on Gitea before it: there is something of each kind to do. */
function round(at: RolesOffice, number: number): readonly string[] {
  if (number % 3 === 2) return ['dispatch', '--issue', '2', '--force'];
  at.gitea.editIssue('acme/app#1', { state: number % 3 === 0 ? 'closed' : 'open' });
  if (number % 3 === 0) {
    const attachments = [{ name: `${number}.png`, size: 1000 }];
    at.gitea.addComment('acme/app#3', { author: 'bob', body: `More, ${number}.`, attachments });
  }
  return [];
}

/** The agent's folder itself is the dispatcher's in this layout; where it is not, its owner may swap that as well. */
async function swapHome(home: string, isOver: () => boolean): Promise<void> {
  for (; !isOver(); await pause(500)) {
    renameSync(home, `${home}.away`);
    symlinkSync('../private', home);
    await pause(2);
    unlinkSync(home);
    renameSync(`${home}.away`, home);
  }
}

/**
 * Stops the racer for moments of any length, longer and longer ones: work that never found its names between two swaps gets further,
 * and is raced in parts. On a machine that is busy with other things a single pass takes seconds.
 */
async function slowDown(racer: ChildProcess, isOver: () => boolean): Promise<void> {
  for (let longest = 400; !isOver(); longest *= 1.1) {
    racer.kill('SIGSTOP');
    await pause(Math.random() * longest);
    racer.kill('SIGCONT');
    await pause(Math.random() * 100);
  }
}

test.runIf(CAN_BE_ANOTHER)(
  'a racing agent, against passes that dispatch, archive, tell, save and force',
  async (context) => {
    const at = await office();
    const [hans, greta, outside] = [
      join(at.tasksFolder, 'hans'),
      join(at.tasksFolder, 'greta'),
      join(at.folder, 'private'),
    ];
    for (let pass = 0; pass < 4; pass += 1) await at.runAs('dispatcher', []);
    const picture = (): string => [pictureOf(outside), pictureOf(greta), at.read('token')].join('\n');
    const before = picture();
    const line = as('agent hans', [NODE, '-e', RACER, hans, outside]);
    const racer: ChildProcess = spawn('setpriv', line, { stdio: 'ignore', cwd: hans });
    const found: string[] = [];
    const did: Record<string, number> = { DISPATCHED: 0, ARCHIVED: 0, NEWS: 0, forced: 0, saved: 0 };
    const count = (what: string, times: number): void => void (did[what] = (did[what] ?? 0) + times);
    let isOver = false;
    const swapping = swapHome(hans, () => isOver);
    const reading = (async (): Promise<void> => {
      for (; !isOver; await pause(1)) {
        for (const file of ['issue-1.md', 'done/secret.md', 'archive/issue-1.md', 'doing/secret.md', 'issue-3.md']) {
          try {
            if (readTask(at.tasksFolder, 'hans', file)?.text.includes('PRIVATE')) found.push(`I5 shown: ${file}`);
          } catch {
            // Its folder is a link at this moment.
          }
        }
      }
    })();
    const said: string[] = [];
    let [rounds, slowing] = [0, Promise.resolve()];
    try {
      const [end, last] = [Date.now() + RACE_MS, Date.now() + 4 * RACE_MS];
      // On a slow machine until each kind of write has been raced against.
      const goesOn = (): boolean => Date.now() < end || (Date.now() < last && Object.values(did).includes(0));
      slowing = pause(RACE_MS / 2).then(() => slowDown(racer, () => isOver || !Object.values(did).includes(0)));
      for (; goesOn(); rounds += 1) {
        const args = round(at, rounds);
        const asked = at.gitea.requests.length;
        const { code, stdout, stderr } = await at.runAs('dispatcher', args);
        if (![0, 1, 5].includes(code ?? -1)) found.push(`exit ${code}: ${stderr}`);
        count('saved', at.gitea.requests.slice(asked).filter((request) => request.includes('/attachments/')).length);
        count('forced', args.length > 0 && code === 0 ? 1 : 0);
        if (args.length > 0) said.push(`${code} ${stderr.trim()}`);
        for (const word of ['DISPATCHED', 'ARCHIVED', 'NEWS']) count(word, stdout.split(`${word}: `).length - 1);
        withoutWaits(at);
        if (picture() === before) continue;
        found.push(`I5 something outside is not as it was after ${args.join(' ')}:\n${before}\n---\n${picture()}`);
        break;
      }
    } finally {
      isOver = true;
      racer.kill('SIGKILL');
      await Promise.all([reading, swapping, slowing]);
    }
    // Or nothing was raced against.
    for (const [what, times] of Object.entries(did))
      if (times === 0 && found.length === 0)
        found.push(`never ${what} in ${rounds} rounds: ${JSON.stringify(did)}; by force: ${said.slice(-3).join('; ')}`);
    conclude(context, `names that change while they are used (${RACE_MS / 1000} s)`, rounds, found);
  },
);
