// What must hold after every experiment, whatever was done to the command: read from the disk, by nobody's word.

import { lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseFrontMatter } from '../../src/core/task/front-matter.ts';
import type { Workspace } from './command.ts';

/** A promise that was broken, and how. */
export interface Violation {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';
  readonly what: string;
}

export interface Expectation {
  /** Files that may be there besides those of the dispatcher. */
  readonly allowed: readonly string[];
  /** The rate limit, and when the experiment began: older files do not count. */
  readonly rateLimitMs: number;
  readonly startedAt: number;
  /** Tasks as `agent issue`, such as `hans 1`, that must be out by now. */
  readonly due: readonly string[];
  /** Whether files may have been replaced by force. */
  readonly forced: boolean;
  readonly outputs: readonly string[];
  /** What the program of onDispatch wrote down of each start: `$DISPATCHER_DISPATCH`. Null: there is none. */
  readonly told: readonly string[] | null;
}

interface TaskOnDisk {
  readonly name: string;
  readonly text: string;
  readonly appearedAt: number;
  readonly fields: ReadonlyMap<string, unknown> | undefined;
}

/** Every broken promise in a workspace. */
export function violations(at: Workspace, expected: Expectation): readonly Violation[] {
  const names = at.files().filter((name) => !expected.allowed.includes(name));
  const tasks = names
    .filter((name) => /^\.agent-tasks\/(?!.*\.attachments\/).*\/[^./][^/]*\.md$/u.test(name))
    .map((name) => taskOf(at, name));
  return [
    ...tasks.flatMap((task) => [...incomplete(task), ...withoutAttachments(at, task)]),
    ...tooClose(tasks, expected),
    ...twice(at, tasks, expected),
    ...missing(tasks, expected),
    ...strangers(names),
    ...leaked(at, names, expected),
    ...disagreeing(at, tasks),
    ...untold(at, expected),
  ];
}

function taskOf(at: Workspace, name: string): TaskOnDisk {
  const path = join(at.folder, name);
  const text = readFileSync(path, 'utf8');
  return { name, text, appearedAt: lstatSync(path).ctimeMs, fields: parseFrontMatter(text) };
}

// I1: no task file is ever visible incomplete.
function incomplete({ name, text, fields }: TaskOnDisk): readonly Violation[] {
  const isWhole =
    fields?.get('schema') === 'dispatcher.task/1' && /\n## When done\n[^]*when somebody has answered\.\n$/u.test(text);
  return isWhole ? [] : [{ invariant: 'I1', what: `${name} is not complete (${text.length} characters)` }];
}

// I1 as well: what a task says to be saved beside it is there, and whole.
function withoutAttachments(at: Workspace, { name, text }: TaskOnDisk): readonly Violation[] {
  const named = [...text.matchAll(/ \((\d+) bytes[^\n]*, saved as (\S+)$/gmu)];
  return named.flatMap(([, bytes, saved = '']) => {
    const size = lstatSync(join(at.folder, dirname(name), saved), { throwIfNoEntry: false })?.size;
    return size === Number(bytes)
      ? []
      : [{ invariant: 'I1' as const, what: `${saved} has ${size} bytes, not ${bytes}` }];
  });
}

// I2: at most one new task file in any window of the rate limit. Those that moved since have another time.
function tooClose(tasks: readonly TaskOnDisk[], { rateLimitMs, startedAt }: Expectation): readonly Violation[] {
  const times = tasks
    .filter(({ name }) => !/\/(?:archive|done)\//u.test(name))
    .map(({ appearedAt }) => appearedAt)
    .filter((time) => time >= startedAt)
    .toSorted((a, b) => a - b);
  return times.flatMap((time, index) => {
    const gap = time - (times[index - 1] ?? Number.NEGATIVE_INFINITY);
    return gap < rateLimitMs ? [{ invariant: 'I2' as const, what: `two files within ${gap.toFixed(1)} ms` }] : [];
  });
}

// I3: no (issue, agent) is dispatched twice without force or a deleted file.
function twice(at: Workspace, tasks: readonly TaskOnDisk[], { forced }: Expectation): readonly Violation[] {
  if (forced) return [];
  const keys = journalOf(at).map((entry) => keyOf(entry['issueId'], entry['agent']));
  const repeated = keys.filter((key, index) => keys.indexOf(key) !== index);
  const files = tasks.map(({ fields, name }) => keyOf(fields?.get('issueId'), name.split('/')[1]));
  const doubled = files.filter((key, index) => files.indexOf(key) !== index);
  return [...repeated, ...doubled].map((key) => ({ invariant: 'I3', what: `${key} was dispatched twice` }));
}

// I4: no eligible issue is forgotten.
function missing(tasks: readonly TaskOnDisk[], { due }: Expectation): readonly Violation[] {
  const out = new Set(tasks.map(({ name, fields }) => `${name.split('/')[1]} ${String(fields?.get('issue'))}`));
  return due.filter((task) => !out.has(task)).map((task) => ({ invariant: 'I4', what: `${task} was forgotten` }));
}

// I5: nothing outside the configured folders is written.
function strangers(names: readonly string[]): readonly Violation[] {
  const ours =
    /^(?:dispatcher\.yaml|\.agent-dispatcher\.log|\.agent-dispatcher\/(?:(?:state|last-pass|candidates|trying|machines)\.json(?:\.tmp|\.broken.*)?|dispatches\.jsonl(?:\.\d+)?|archived\.jsonl|lock|instance|pauses\/.*|history\/[\w.-]+|listing\/[\w.-]+)|\.agent-tasks\/\.{1,2}dispatcher\.json(?:\.\d+\.tmp)?|\.agent-tasks\/[a-z0-9._-]+\/\.wake|\.agent-tasks\/[a-z0-9._-]+\/(?:archive\/)?issue-\d+\.attachments\/\d+-[\w.-]+|\.agent-tasks\/[a-z0-9._-]+\/(?:[A-Za-z0-9._-]+\/){0,4}\.?issue-\d+(?:\.\d+)?\.md(?:\.\w+\.tmp)?)$/u;
  return names.filter((name) => !ours.test(name)).map((name) => ({ invariant: 'I5', what: `${name} is none of ours` }));
}

// I6: the token appears nowhere.
function leaked(at: Workspace, names: readonly string[], { outputs }: Expectation): readonly Violation[] {
  const { token } = at.gitea;
  // A pipe or device that was set aside cannot be read, and holds nothing.
  const regular = names.filter((name) => lstatSync(join(at.folder, name)).isFile());
  const files = regular.filter((name) => readFileSync(join(at.folder, name), 'utf8').includes(token));
  const printed = outputs.filter((text) => text.includes(token)).length;
  return [...files, ...(printed > 0 ? ['output'] : [])].map((where) => ({
    invariant: 'I6',
    what: `the token is in ${where}`,
  }));
}

// I7: state, journal, log and task files agree.
function disagreeing(at: Workspace, tasks: readonly TaskOnDisk[]): readonly Violation[] {
  const journal = journalOf(at);
  const unknown = tasks.filter(
    ({ fields }) =>
      !journal.some(
        (entry) => entry['at'] === fields?.get('dispatchedAt') && entry['issueId'] === fields?.get('issueId'),
      ),
  );
  const state: unknown = JSON.parse(at.read('.agent-dispatcher/state.json'));
  const pending = typeof state === 'object' && state !== null && JSON.stringify(state).includes('"pending":{');
  return [
    ...unknown.map(({ name }) => ({ invariant: 'I7' as const, what: `${name} is not in the journal` })),
    ...(pending ? [{ invariant: 'I7' as const, what: 'a dispatch is still pending' }] : []),
  ];
}

// I8: the program of onDispatch is told of each dispatch at least once, and of nothing else.
function untold(at: Workspace, { told }: Expectation): readonly Violation[] {
  if (told === null) return [];
  const keys = journalOf(at).map(
    (entry) =>
      `${String(entry['server'])}#${String(entry['issueId'])}:${String(entry['agent'])}@${String(entry['at'])}`,
  );
  return [
    ...keys.filter((key) => !told.includes(key)).map((key) => `nobody was told of ${key}`),
    ...told.filter((key) => !keys.includes(key)).map((key) => `told of ${key}, which is not in the journal`),
  ].map((what) => ({ invariant: 'I8', what }));
}

function keyOf(issueId: unknown, agent: unknown): string {
  return `${String(issueId)}:${String(agent)}`;
}

function journalOf(at: Workspace): readonly Record<string, unknown>[] {
  if (!at.files().includes('.agent-dispatcher/dispatches.jsonl')) return [];
  return at
    .read('.agent-dispatcher/dispatches.jsonl')
    .split('\n')
    .flatMap((line): Record<string, unknown>[] => {
      try {
        const entry: unknown = JSON.parse(line);
        return isRecord(entry) ? [entry] : [];
      } catch {
        return []; // a line that a power cut left unfinished
      }
    });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
