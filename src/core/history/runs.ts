// The history as stories: each dispatch of a task, from when it waited to how it ended.

import type { Instant } from '../clock.ts';
import type { Priority } from '../issue/priority.ts';
import type { Whereabouts } from '../mailbox/place.ts';
import type { DispatchedEvent, HistoryEvent } from './event.ts';

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

/** The runs that the events tell of, in the order of their dispatches. `events` are sorted by time. */
export function runsOf(events: readonly HistoryEvent[]): readonly Run[] {
  const runs: Draft[] = [];
  const last = new Map<string, Draft>();
  for (const event of events) {
    switch (event.event) {
      case 'dispatched': {
        const before = last.get(event.key);
        if (before?.from === event.at) break; // told twice by a pass that was stopped in between
        if (before) close(before, event.at, 'again');
        const run = begun(event);
        runs.push(run);
        last.set(event.key, run);
        break;
      }
      case 'archived':
        close(last.get(event.key), event.at, event.reason);
        break;
      case 'done':
      case 'gone':
        close(last.get(event.key), event.at, event.event);
        break;
      case 'taken':
      case 'blocked':
      case 'released':
        move(last.get(event.key), event.at, event.event);
        break;
      case 'failed':
      case 'recovered':
      case 'sample':
        break;
    }
  }
  return runs;
}

/** Whether a run came to its end as it should: handed back as done, or its issue closed. */
export function isFinished({ ending }: Pick<Run, 'ending'>): boolean {
  return ending === 'done' || ending === 'closed';
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Omit<Mutable<Run>, 'spans'> & { readonly spans: Mutable<Span>[] };

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
  run.spans.push({ place, from: begin, to: null });
  run.to = null;
  run.ending = null;
}

function endSpan({ spans }: Draft, at: Instant): void {
  const last = spans.at(-1);
  if (last?.to === null) last.to = Math.max(at, last.from);
}
