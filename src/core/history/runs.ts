// The history as stories: each dispatch of a task, from when it waited to how it ended.

import type { Instant } from '../clock.ts';
import type { Priority } from '../issue/priority.ts';
import type { Whereabouts } from '../mailbox/place.ts';
import type { DispatchedEvent, TaskEvent } from './event.ts';

/** How a run ended. `again`: the task was dispatched anew; `gone`: its file was deleted; the rest is why it was archived. */
type Ending = 'done' | 'closed' | 'gone' | 'again' | (string & {});

/** A part of a run: where the task's file was all that time. */
interface Span {
  readonly place: Exclude<Whereabouts, 'done' | 'gone'>;
  readonly from: Instant;
  /** Null: it is there still. */
  readonly to: Instant | null;
}

/** One dispatch of a task, and what became of it. */
export interface Run {
  readonly key: string;
  readonly ref: string;
  readonly agent: string;
  readonly title: string;
  readonly priority: Priority;
  readonly trigger: DispatchedEvent['trigger'];
  readonly attempt: number;
  /** Milliseconds that it waited for its first dispatch; null: nobody knows, or it is not the first. */
  readonly waitedMs: number | null;
  readonly from: Instant;
  /** Null: it is not over. */
  readonly to: Instant | null;
  readonly ending: Ending | null;
  readonly spans: readonly Span[];
}

/** Runs that are being told, in the order of their dispatches. */
export interface OpenRuns {
  readonly all: Draft[];
  /** Where the last run of each key is. */
  readonly last: Map<string, number>;
  /** The same of the runs that it goes on from, which are not its own to change. */
  readonly before: ReadonlyMap<string, number>;
}

/** Begins to tell runs, or goes on from those that were told, which stay as they are and are told no further. */
export function openRuns(before?: OpenRuns): OpenRuns {
  return { all: before ? [...before.all] : [], last: new Map(), before: before?.last ?? new Map() };
}

/** Tells what happened to a task next. */
export function tellRun(runs: OpenRuns, event: TaskEvent): void {
  const run = lastRun(runs, event.key);
  switch (event.event) {
    case 'dispatched':
      if (run?.from === event.at) break; // told twice by a pass that was stopped in between
      if (run) close(run, event.at, 'again');
      runs.last.set(event.key, runs.all.push(begun(event)) - 1);
      break;
    case 'archived':
      close(run, event.at, event.reason);
      break;
    case 'done':
    case 'gone':
      close(run, event.at, event.event);
      break;
    case 'taken':
    case 'blocked':
    case 'released':
      move(run, event.at, event.event);
      break;
  }
}

function lastRun({ all, last, before }: OpenRuns, key: string): Draft | undefined {
  const own = last.get(key);
  if (own !== undefined) return all[own];
  const index = before.get(key);
  const run = index === undefined ? undefined : all[index];
  if (index === undefined || run === undefined) return undefined;
  const copy = { ...run, spans: run.spans.map((span) => ({ ...span })) };
  all[index] = copy;
  last.set(key, index);
  return copy;
}

/** Whether a run came to its end as it should: handed back as done, or its issue closed. */
export function isFinished({ ending }: Pick<Run, 'ending'>): boolean {
  return ending === 'done' || ending === 'closed';
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Omit<Mutable<Run>, 'spans'> & { spans: Mutable<Span>[] };

function begun(event: DispatchedEvent): Draft {
  const { key, ref, agent, title, priority, trigger, attempt, at, since } = event;
  return {
    key,
    ref,
    agent,
    title,
    priority,
    trigger,
    attempt,
    waitedMs: since === null ? null : Math.max(0, at - since),
    from: at,
    to: null,
    ending: null,
    spans: [{ place: 'new', from: at, to: null }],
  };
}

function close(run: Draft | undefined, at: Instant, ending: Ending): void {
  if (!run || run.to !== null) return;
  const end = Math.max(at, run.from);
  endSpan(run, end);
  run.to = end;
  run.ending = ending;
}

const PLACES = { taken: 'doing', blocked: 'blocked', released: 'new' } as const;

// A task that is moved out of done/ again goes on, and one whose file was only away for a while.
function move(run: Draft | undefined, at: Instant, event: keyof typeof PLACES): void {
  if (!run || (run.ending !== null && run.ending !== 'done' && run.ending !== 'gone')) return;
  const place = PLACES[event];
  if (run.ending === null && run.spans.at(-1)?.place === place) return;
  const begin = Math.max(at, run.spans.at(-1)?.from ?? run.from);
  endSpan(run, begin);
  const next = { place, from: begin, to: null };
  // Most runs have two: an array that grows takes room for sixteen more.
  const [first] = run.spans;
  if (first && run.spans.length === 1) run.spans = [first, next];
  else run.spans.push(next);
  run.to = null;
  run.ending = null;
}

function endSpan({ spans }: Draft, at: Instant): void {
  const last = spans.at(-1);
  if (last?.to === null) last.to = Math.max(at, last.from);
}
