// What the history keeps: one line of JSON for each thing that happened, in a file for each day (UTC).

import { fromRfc3339, type Instant, toRfc3339 } from '../clock.ts';
import { nameOn, splitServer } from '../config/servers.ts';
import type { Whereabouts } from '../mailbox/place.ts';
import { PRIORITIES, type Priority } from '../issue/priority.ts';
import type { ArchiveRecord, DispatchRecord } from '../state/dispatch-record.ts';
import { cleanLine } from '../task/untrusted.ts';

/** The event that tells of a task's coming to a place. */
export const ARRIVALS = {
  new: 'released',
  doing: 'taken',
  blocked: 'blocked',
  done: 'done',
  gone: 'gone',
} as const satisfies Record<Whereabouts, string>;
type Arrival = (typeof ARRIVALS)[Whereabouts];

/** What every event of a task tells. */
interface TaskFacts {
  /** The candidate's key: issue id and agent. */
  readonly key: string;
  readonly ref: string;
  readonly agent: string;
}

export type HistoryEvent = { readonly at: Instant } & (
  | (TaskFacts & {
      readonly event: 'dispatched';
      readonly priority: Priority;
      readonly title: string;
      readonly trigger: DispatchRecord['trigger'];
      readonly attempt: number;
      /** Since when it waited for its first dispatch; null: nobody knows, or it is not the first. */
      readonly since: Instant | null;
    })
  | (TaskFacts & { readonly event: Arrival })
  | (TaskFacts & { readonly event: 'archived'; readonly reason: string })
  | { readonly event: 'failed'; readonly code: string }
  | { readonly event: 'recovered'; readonly failures: number }
  /** `hans=0,1,2,0 greta=...`: how many wait, most urgent priority first. A text, as most are never looked into. */
  | { readonly event: 'sample'; readonly waiting: string }
);

/** What happened to a task. */
export type TaskEvent = Extract<HistoryEvent, TaskFacts>;
/** How the passes went. */
export type PassEvent = Extract<HistoryEvent, { event: 'failed' | 'recovered' }>;
export type SampleEvent = Extract<HistoryEvent, { event: 'sample' }>;
export type DispatchedEvent = Extract<HistoryEvent, { event: 'dispatched' }>;
export type ArchivedEvent = Extract<HistoryEvent, { event: 'archived' }>;

/** Who waits at a moment, as the text of a sample. */
export function waitingText(
  waiting: readonly { readonly agent: string; readonly priority: Priority; readonly count?: number }[],
): string {
  const counts = new Map<string, number[]>();
  for (const { agent, priority, count = 1 } of waiting) {
    const row = counts.get(agent) ?? PRIORITIES.map(() => 0);
    row[PRIORITIES.indexOf(priority)] = (row[PRIORITIES.indexOf(priority)] ?? 0) + count;
    counts.set(agent, row);
  }
  return [...counts].map(([agent, row]) => `${encodeURIComponent(cleanLine(agent, 100))}=${row.join(',')}`).join(' ');
}

/** How many of each priority wait by the text of a sample, most urgent first; of one agent, or of all (null). */
export function waitingCounts(text: string, agent: string | null): readonly number[] {
  const sums = PRIORITIES.map(() => 0);
  const wanted = agent === null ? null : encodeURIComponent(cleanLine(agent, 100));
  for (const row of text.split(' ')) {
    const [name, counts = ''] = row.split('=');
    if (wanted !== null && name !== wanted) continue;
    counts
      .split(',')
      .forEach((each, index) => (sums[index] = (sums[index] ?? 0) + (/^\d{1,6}$/u.test(each) ? Number(each) : 0)));
  }
  return sums.slice(0, PRIORITIES.length);
}

/** A day of UTC, such as `2026-04-09`: the name of the file that an event belongs into. */
export function dayOf(at: Instant): string {
  return toRfc3339(at).slice(0, 10);
}

/** Names a task in the history: issue id and agent, and where there are several servers the name of its own in front. */
export function historyKey({ ref, issueId, agent }: Pick<DispatchRecord, 'ref' | 'issueId' | 'agent'>): string {
  return nameOn(splitServer(ref).server, `${issueId}:${agent}`);
}

/** What the journal's record of a dispatch tells the history. */
export function dispatchedEvent(record: DispatchRecord): DispatchedEvent {
  const { ref, agent, priority, title, trigger, attempt } = record;
  return {
    at: fromRfc3339(record.at) ?? 0,
    event: 'dispatched',
    key: historyKey(record),
    ref: cleanLine(ref, 200),
    agent: cleanLine(agent, 100),
    priority,
    title: cleanLine(title, 200),
    trigger,
    attempt,
    since: attempt === 1 ? (fromRfc3339(record.waitingSince ?? '') ?? null) : null,
  };
}

/** What the record of an archived task tells the history. */
export function archivedEvent(record: ArchiveRecord): ArchivedEvent {
  return {
    at: fromRfc3339(record.at) ?? 0,
    event: 'archived',
    key: historyKey(record),
    ref: cleanLine(record.ref, 200),
    agent: cleanLine(record.agent, 100),
    reason: record.reason,
  };
}
