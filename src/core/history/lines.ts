// The events as text: one line of JSON for each. Reading is by hand, since what a report waits for is a hundred thousand lines.

import { fromRfc3339, type Instant, toRfc3339 } from '../clock.ts';
import { inOrder } from '../in-order.ts';
import { PRIORITIES } from '../issue/priority.ts';
import type { DispatchedEvent, HistoryEvent } from './event.ts';

/** One line, without its end. */
export function eventLine(event: HistoryEvent): string {
  const since = event.event === 'dispatched' && event.since !== null ? { since: toRfc3339(event.since) } : {};
  return JSON.stringify({ ...event, at: toRfc3339(event.at), ...since });
}

/** Reads lines; leaves out what is no event, or one of a kind that a newer dispatcher writes. */
export function parseEvents(text: string): readonly HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const raw of valuesIn(text)) {
    const event = eventIn(raw);
    if (event) events.push(event);
  }
  return events;
}

/** The events that the file of a day holds, in their order. What is of another day was not written by a dispatcher. */
export function eventsOfDay(text: string, day: string): readonly HistoryEvent[] {
  const from = fromRfc3339(day) ?? 0;
  const events = parseEvents(text).filter(({ at }) => at >= from && at < from + DAY_MS);
  return inOrder(events, ({ at }) => at);
}

const DAY_MS = 86_400_000;

// All at once takes half as long as line by line, which is for a file with a broken one. No text reaches over the end of a line.
function valuesIn(text: string): readonly unknown[] {
  const whole = text.endsWith('\n') ? text.slice(0, -1) : text;
  try {
    const values: unknown = JSON.parse(`[${whole.replaceAll('\n', ',\n')}]`);
    if (Array.isArray(values) && values.length === linesIn(whole)) return values;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return whole.split('\n').map((line) => valueIn(line));
}

function linesIn(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function valueIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function eventIn(raw: unknown): HistoryEvent | undefined {
  if (!isFields(raw)) return undefined;
  const at = instant(raw['at']);
  return at === null ? undefined : eventOf(raw, at);
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(raw: unknown): raw is Fields {
  return typeof raw === 'object' && raw !== null;
}

// By hand: a schema library takes longer for a hundred thousand lines than a reader waits.
function eventOf(raw: Fields, at: Instant): HistoryEvent | undefined {
  const { event, key } = raw;
  switch (event) {
    case 'sample':
      return { at, event, waiting: text(raw['waiting'], MAX_SAMPLE) };
    case 'failed':
      return { at, event, code: text(raw['code'], 60) };
    case 'recovered':
      return { at, event, failures: count(raw['failures']) };
    case 'dispatched':
      return dispatchedOf(raw, at);
    case 'taken':
    case 'blocked':
    case 'released':
    case 'done':
    case 'gone':
      if (typeof key !== 'string') return undefined;
      return { at, event, key, ref: text(raw['ref'], 200), agent: text(raw['agent'], 100) };
    case 'archived': {
      if (typeof key !== 'string') return undefined;
      const reason = text(raw['reason'], 40);
      return { at, event, key, ref: text(raw['ref'], 200), agent: text(raw['agent'], 100), reason };
    }
    default:
      return undefined;
  }
}

const MAX_SAMPLE = 65_536;

function dispatchedOf(raw: Fields, at: Instant): DispatchedEvent | undefined {
  const { key } = raw;
  const priority = PRIORITIES.find((name) => name === raw['priority']);
  const trigger = TRIGGERS.find((name) => name === raw['trigger']);
  if (typeof key !== 'string' || !priority || !trigger) return undefined;
  return {
    at,
    event: 'dispatched',
    key,
    ref: text(raw['ref'], 200),
    agent: text(raw['agent'], 100),
    priority,
    title: text(raw['title'], 200),
    trigger,
    attempt: Math.max(1, count(raw['attempt'])),
    since: instant(raw['since']),
  };
}

const TRIGGERS = ['timer', 'manual', 'forced'] as const;

// Cleaned when it was written, and again where it is shown: here only its length is made sure of.
function text(value: unknown, length: number): string {
  return typeof value === 'string' ? value.slice(0, length) : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : 0;
}

function instant(value: unknown): Instant | null {
  return typeof value === 'string' ? (fromRfc3339(value) ?? null) : null;
}
