// A history as an office would leave it, made without passes: the same every time.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dayOf, type DispatchedEvent, type HistoryEvent } from '../../src/core/history/event.ts';
import { eventLine } from '../../src/core/history/lines.ts';
import { openPast, type Past, tell, told } from '../../src/core/history/past.ts';
import { PRIORITIES } from '../../src/core/issue/priority.ts';
import { MINUTE, NOON } from './builders.ts';

const HOUR = 60 * MINUTE;

/** acme/app#2 went to hans at noon. */
export const aDispatched = (overrides: Partial<DispatchedEvent> = {}): DispatchedEvent => ({
  at: NOON,
  event: 'dispatched',
  key: '2:hans',
  ref: 'acme/app#2',
  agent: 'hans',
  priority: 'CRITICAL',
  title: 'silent DB errors',
  trigger: 'timer',
  attempt: 1,
  since: NOON - HOUR,
  ...overrides,
});

/** What became of that task, so many hours after noon. */
export const aMove = (
  event: 'taken' | 'blocked' | 'released' | 'done' | 'gone' | 'archived',
  hours: number,
): HistoryEvent => {
  const facts = { at: NOON + hours * HOUR, key: '2:hans', ref: 'acme/app#2', agent: 'hans' };
  return event === 'archived' ? { ...facts, event, reason: 'closed' } : { ...facts, event };
};

/** The past that these events tell of, which are in order. */
export function pastOf(events: readonly HistoryEvent[]): Past {
  const past = openPast();
  tell(past, events);
  return told(past);
}

/** The same numbers every time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Office {
  readonly days: number;
  readonly agents: number;
  readonly from?: number;
  /** Tasks of each agent a day. */
  readonly perDay?: number;
}

/** Agents that take their tasks in turn, finish most, are stuck with some and lose a few; a sample every ten minutes; an outage every five days. */
export function anOfficeHistory({ days, agents, from = NOON, perDay = 6 }: Office): readonly HistoryEvent[] {
  const random = randomFrom(20_261_124);
  const events: HistoryEvent[] = [];
  const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
  for (let agent = 1; agent <= agents; agent += 1) {
    for (let task = 0; task < days * perDay; task += 1) {
      const number = agent * 10_000 + task;
      const facts = { key: `${number}:agent-${agent}`, ref: `acme/app#${number}`, agent: `agent-${agent}` };
      const at = from + Math.floor(((task + random()) / perDay) * 24 * HOUR);
      events.push({
        ...facts,
        at,
        event: 'dispatched',
        priority: pick(PRIORITIES),
        title: `Task ${number}`,
        trigger: 'timer',
        attempt: random() < 0.1 ? 2 : 1,
        since: random() < 0.9 ? at - Math.floor(random() ** 3 * 30 * HOUR) : null,
      });
      const taken = at + Math.floor(random() * HOUR);
      events.push({ ...facts, at: taken, event: 'taken' });
      const end = taken + Math.floor(random() ** 2 * 6 * HOUR) + MINUTE;
      const kind = random();
      if (kind < 0.7) events.push({ ...facts, at: end, event: 'done' });
      else if (kind < 0.8)
        events.push({ ...facts, at: end, event: 'archived', reason: pick(['closed', 'unassigned']) });
      else if (kind < 0.85) events.push({ ...facts, at: end, event: 'gone' });
      else if (kind < 0.95)
        events.push(
          { ...facts, at: end, event: 'blocked' },
          { ...facts, at: end + 5 * HOUR, event: 'released' },
          { ...facts, at: end + 6 * HOUR, event: 'done' },
        );
    }
  }
  const to = from + days * 24 * HOUR;
  for (let at = from; at < to; at += 10 * MINUTE) {
    const row = (_: unknown, index: number): string =>
      `agent-${index + 1}=${PRIORITIES.map(() => Math.floor(random() * 4)).join(',')}`;
    const waiting = Array.from({ length: agents }, row).join(' ');
    events.push({ at, event: 'sample', waiting });
  }
  for (let at = from + 3 * 24 * HOUR; at < to; at += 5 * 24 * HOUR) {
    for (let minute = 0; minute < 30; minute += 1)
      events.push({ at: at + minute * MINUTE, event: 'failed', code: 'gitea_unreachable' });
    events.push({ at: at + 30 * MINUTE, event: 'recovered', failures: 30 });
  }
  return events.filter((event) => event.at <= to).toSorted((a, b) => a.at - b.at);
}

/** Writes events as the days of a state folder. */
export function writeHistory(stateDirectory: string, events: readonly HistoryEvent[]): void {
  const folder = join(stateDirectory, 'history');
  mkdirSync(folder, { recursive: true });
  const days = new Map<string, string[]>();
  for (const event of events) {
    const lines = days.get(dayOf(event.at)) ?? [];
    days.set(dayOf(event.at), lines);
    lines.push(eventLine(event));
  }
  for (const [day, lines] of days) writeFileSync(join(folder, `${day}.jsonl`), `${lines.join('\n')}\n`);
}
