// A month of an office for pictures: three agents with two tasks at a time, the most urgent first, written by the recorder
// that passes write with. Work is done by day; for some days more comes in than goes out, and once Gitea is away.

import { dispatchedEvent } from '../../src/core/history/event.ts';
import type { Whereabouts } from '../../src/core/mailbox/place.ts';
import type { Sight } from '../../src/core/history/observe.ts';
import { type Priority, rank } from '../../src/core/issue/priority.ts';
import { openHistory } from '../../src/io/state/history.ts';
import { aDispatchRecord, iso, MINUTE } from './builders.ts';
import { randomFrom } from './history.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TITLES = [
  'Retry webhooks on 5xx',
  'Silent database errors',
  'Dark mode for the settings',
  'Export as CSV drops a column',
  'Login loops after a password change',
  'Rename the CSS variables',
  'Slow search on large projects',
  'Document the backup command',
];

interface Task {
  readonly number: number;
  readonly agent: string;
  readonly priority: Priority;
  readonly createdAt: number;
  place: Whereabouts | 'waiting';
  /** What it comes to next, and when. */
  next: { readonly place: Whereabouts; readonly at: number } | null;
}

/** Writes the history of thirty days that end now. */
export function liveThroughMonth(stateDirectory: string, now: number): void {
  const random = randomFrom(20_261_125);
  const history = openHistory(stateDirectory, 90 * DAY);
  const tasks: Task[] = [];
  const begin = now - 30 * DAY;
  for (let at = begin, minute = 0; at < now; at += 2 * MINUTE, minute += 2) {
    const isDay = new Date(at).getHours() >= 7 && new Date(at).getHours() < 19;
    const isFailing = at > begin + 19.4 * DAY && at < begin + 19.55 * DAY;
    const isRush = at > begin + 11 * DAY && at < begin + 14 * DAY;
    if (random() < (isDay ? 0.024 : 0.002) * (isRush ? 4 : 1)) tasks.push(opened(tasks.length + 100, at, random));
    let isChanged = false;
    for (const task of tasks) isChanged = moved(task, at, random) || isChanged;
    if (!isFailing) isChanged = dispatched(tasks, at, random, history) || isChanged;
    if (isChanged || isFailing || minute % 10 === 0) history.seen(sightOf(tasks, at, isFailing));
  }
}

type Random = () => number;

function opened(number: number, at: number, random: Random): Task {
  const among = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
  return {
    number,
    agent: among(['hans', 'hans', 'greta', 'greta', 'ida']),
    priority: among(['CRITICAL', 'HIGH', 'HIGH', 'NORMAL', 'NORMAL', 'NORMAL', 'LOW', 'LOW']),
    createdAt: at - random() * 20 * MINUTE,
    place: 'waiting',
    next: null,
  };
}

function moved(task: Task, at: number, random: Random): boolean {
  if (!task.next || at < task.next.at) return false;
  const { place } = task.next;
  task.place = place;
  if (place === 'doing') {
    const isStuck = random() < 0.12;
    task.next = { place: isStuck ? 'blocked' : 'done', at: at + (0.3 + random() ** 2 * 7) * HOUR };
  } else task.next = place === 'blocked' ? { place: 'doing', at: at + (1 + random() * 14) * HOUR } : null;
  return true;
}

function dispatched(
  tasks: readonly Task[],
  at: number,
  random: Random,
  history: ReturnType<typeof openHistory>,
): boolean {
  const isOpen = ({ place }: Task): boolean => place === 'new' || place === 'doing';
  const [task] = tasks
    .filter(
      ({ place, agent }) =>
        place === 'waiting' && tasks.filter((other) => other.agent === agent && isOpen(other)).length < 2,
    )
    .toSorted((a, b) => rank(a.priority) - rank(b.priority) || a.createdAt - b.createdAt);
  if (!task) return false;
  task.place = 'new';
  task.next = { place: 'doing', at: at + random() * 40 * MINUTE };
  history.dispatched(recordOf(task, at));
  return true;
}

function recordOf({ number, agent, priority, createdAt }: Task, at: number) {
  return aDispatchRecord({
    at: iso(at),
    ref: `acme/app#${number}`,
    issueId: number,
    agent,
    title: TITLES[number % TITLES.length] ?? '',
    priority,
    waitingSince: iso(createdAt),
  });
}

function sightOf(tasks: readonly Task[], now: number, isFailing: boolean): Sight {
  const places = tasks.flatMap((task) =>
    task.place === 'waiting'
      ? []
      : [[dispatchedEvent(recordOf(task, now)).key, { place: task.place, since: null }] as const],
  );
  return {
    now,
    places: new Map(places),
    waiting: tasks.filter(({ place }) => place === 'waiting'),
    pass: { startedAt: iso(now), failure: isFailing ? 'gitea_unreachable' : null },
  };
}
