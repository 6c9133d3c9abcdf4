// The pieces that several pages show, as values for the templates. Templates escape; texts are cleaned here as well, since
// files and journal can be edited by anybody who may write in the workspace.

import type { Servers } from '../../core/config/servers.ts';
import { fromRfc3339, type Instant, toRfc3339 } from '../../core/clock.ts';
import type { Priority } from '../../core/issue/priority.ts';
import type { AgentStatus } from '../../core/health/agent-status.ts';
import type { Snapshot } from '../../core/health/snapshot.ts';
import { sinceOf, stateWord, type TaskStatus } from '../../core/task/status.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { type Part, partText } from '../health.ts';

/** What the frame around each page shows. */
export interface Frame {
  readonly program: string;
  readonly servers: Servers;
  readonly now: Instant;
  /** Name of the time zone of the times shown. */
  readonly timeZone: string;
  /** Changes whenever another page would be rendered. */
  readonly version: string;
  /** Of the log: what the reader of this page has seen. */
  readonly position: string;
  /** Changes with style sheet and script. */
  readonly assets: string;
}

/** How a page feels: which colour, sign and icon it has. */
export type Mood = 'ok' | 'attention' | 'trouble';

/** The data of the frame. `announcement` is read out by a screen reader when it is another one than before. */
export function frameData(
  frame: Frame,
  title: string,
  mood: Mood,
  announcement: string,
  here: 'history' | 'other' = 'other',
) {
  return {
    isHistory: here === 'history',
    title,
    mood,
    announcement,
    outdated: false,
    program: frame.program,
    servers: frame.servers.map(({ name, url }) => ({
      url: safeUrl(url),
      name: cleanLine(`${name === null ? '' : `${name}: `}${url.replace(/^https?:\/\//u, '')}`, 200),
    })),
    timeZone: frame.timeZone,
    version: frame.version,
    position: frame.position,
    assets: frame.assets,
    now: toRfc3339(frame.now),
    nowLocal: localTime(frame.now, frame.timeZone),
  };
}

/** The parts of a sentence, each words or a time that the page lets tick. */
export function sentenceData(parts: readonly Part[], frame: Frame) {
  return parts.map((part) =>
    typeof part === 'string' ? { text: part, time: null } : { text: '', time: timeData(part, frame) },
  );
}

/** A priority with the word for it and the class that gives it shape and colour. */
export function priorityData(priority: Priority | null) {
  return { word: priority ?? 'unknown', class: (priority ?? 'unknown').toLowerCase() };
}

/** A line of a table of tasks. */
export function taskRow(task: TaskStatus, agent: Pick<AgentStatus, 'name' | 'directory'>, frame: Frame) {
  const at = sinceOf(task);
  const stalled = task.stalled === null ? null : `taken by ${task.takenBy ?? 'somebody who left no name'}`;
  const detail = [task.reason, task.detail, stalled].filter(Boolean).join(': ');
  return {
    key: `${task.state} ${task.file ?? task.ref ?? ''}`,
    priority: priorityData(task.priority),
    ref: cleanLine(task.ref ?? 'unknown', 200),
    url: safeUrl(task.url),
    title: cleanLine(task.title ?? task.file?.slice(agent.directory.length + 1) ?? '', 500),
    state: task.state,
    word: task.reason === null ? stateWord(task) : task.state,
    why: cleanLine(detail, 200),
    age: at === null ? { at: null } : timeData({ since: at }, frame),
    file: task.file === null ? null : taskHref(agent.name, task.file.slice(agent.directory.length + 1)),
  };
}

/** The address of a task file's page. `file` is its path below the agent's folder. */
export function taskHref(agent: string, file: string): string {
  return `/tasks/${[agent, ...file.split('/')].map(encodeURIComponent).join('/')}`;
}

/** Answers the address of a task's page, or null: an agent may have moved the file since its dispatch, or deleted it. */
export function taskHrefs({ agents }: Pick<Snapshot, 'agents'>): (agent: string, ref: string) => string | null {
  const files = new Map<string, string>();
  for (const { name, directory, tasks } of agents) {
    for (const { ref, file } of tasks) if (file !== null) files.set(`${name} ${ref}`, file.slice(directory.length + 1));
  }
  return (agent, ref) => {
    const file = files.get(`${agent} ${ref}`);
    return file === undefined ? null : taskHref(agent, file);
  };
}

/** The address of an agent's page. */
export function agentHref(agent: string): string {
  return `/agents/${encodeURIComponent(agent)}`;
}

/** An address that may stand in a link, or null: a file that somebody edited could hold a `javascript:` one. */
export function safeUrl(url: string | null): string | null {
  return url !== null && /^https?:\/\/[^\s"'<>\\]+$/iu.test(url) ? cleanLine(url, 2000) : null;
}

/** `2026-04-09 14:32:15` in that zone. */
export function localTime(at: Instant, timeZone: string): string {
  const format =
    formats.get(timeZone) ?? new Intl.DateTimeFormat(ISO_LIKE, { dateStyle: 'short', timeStyle: 'medium', timeZone });
  formats.set(timeZone, format);
  return format.format(at);
}

// Swedish writes dates as ISO 8601 does.
const ISO_LIKE = 'sv-SE';
// A format holds 25 kB outside of the heap, which the garbage collector does not see: one for each line is 500 MB soon.
const formats = new Map<string, Intl.DateTimeFormat>();

function timeData(part: Exclude<Part, string>, frame: Frame) {
  const text = 'since' in part ? part.since : part.until;
  const at = fromRfc3339(text);
  return {
    kind: 'since' in part ? 'since' : 'until',
    at: at === undefined ? null : toRfc3339(at),
    local: at === undefined ? '' : localTime(at, frame.timeZone),
    words: partText(part, frame.now),
  };
}

/** Handlebars takes an empty list for something to show. */
export function nullIfEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null;
}
