// What each agent had when: a lane for each, a bar for each task.

import { type Instant, shortDuration } from '../../core/clock.ts';
import { isFinished, type Run } from '../../core/history/runs.ts';
import type { Period } from '../../core/history/tally.ts';
import { type Priority, rank } from '../../core/issue/priority.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { percent, type TimeAxis } from './time-axis.ts';

/** What the bars of a lane need to know, and the time that they are drawn in. */
export interface LaneFrame extends Period {
  readonly axis: TimeAxis;
  /** Where a task can be read, or null. */
  readonly hrefOf: (run: Run) => string | null;
  readonly localTime: (at: Instant) => string;
}

const ROW_PX = 18;
const HEIGHTS: Readonly<Record<Priority, number>> = { CRITICAL: 16, HIGH: 13, NORMAL: 10, LOW: 6 };
const MOST_ROWS = 8;
/** More are drawn together where they are short. */
const MOST_BARS = 150;
/** Per cent of the width: what is shorter could hardly be hit. */
const NARROW = 0.8;
/** From this width on there is room for the sign of its end. */
const SIGN_ROOM = 4;

/** The data of one lane, from the runs that touch the time, in the order of their dispatches. */
export function laneOf(runs: readonly Run[], frame: LaneFrame) {
  const bars = (runs.length > MOST_BARS ? gathered(runs, frame) : runs.map((run) => [run])).map((some) =>
    barOf(some, frame),
  );
  const ends: number[] = [];
  const placed = bars.flatMap((bar) => {
    const free = ends.findIndex((end) => end <= bar.left);
    const row = free === -1 ? ends.length : free;
    if (row >= MOST_ROWS) return [];
    ends[row] = bar.left + Math.max(bar.width, NARROW);
    return [drawn(bar, row)];
  });
  return {
    height: Math.max(1, ends.length) * ROW_PX + 4,
    bars: placed.length > 0 ? placed : null,
    hidden: bars.length - placed.length,
  };
}

/** In words: what it was, how urgent, how long, how it ended. */
function runText(run: Run, { to, localTime }: Pick<LaneFrame, 'to' | 'localTime'>): string {
  const waited = run.waitedMs === null ? '' : `, waited ${shortDuration(run.waitedMs)}`;
  const length = shortDuration((run.to ?? to) - run.from);
  return `${run.ref} ${run.priority}: ${cleanLine(run.title, 120)}. Dispatched ${localTime(run.from)}${waited}; ${endText(run)} after ${length}`;
}

/** `done`, `issue closed`, `file deleted`, ... or where it is. */
export function endText(run: Run): string {
  const { ending, spans } = run;
  if (ending === null) return STILL[spans.at(-1)?.place ?? 'new'];
  return ENDINGS[ending] ?? `archived as ${cleanLine(ending, 40)}`;
}

const STILL = { new: 'still new', doing: 'still in work', blocked: 'still blocked' } as const;
const ENDINGS: Readonly<Record<string, string>> = {
  done: 'done',
  closed: 'issue closed',
  unassigned: 'unassigned',
  gone: 'file deleted',
  again: 'dispatched again',
};

// Those that would be narrower than a finger, by where they are: one bar for all of a place.
function gathered(runs: readonly Run[], { axis, to }: LaneFrame): readonly (readonly Run[])[] {
  const groups: Run[][] = [];
  const short = new Map<number, Run[]>();
  for (const run of runs) {
    const left = axis.at(run.from);
    const place = axis.at(run.to ?? to) - left < NARROW ? Math.floor(left / NARROW) : null;
    const group = place === null ? undefined : short.get(place);
    if (group) {
      group.push(run);
      continue;
    }
    const begun = [run];
    groups.push(begun);
    if (place !== null) short.set(place, begun);
  }
  return groups;
}

type Bar = ReturnType<typeof barOf>;

function barOf(runs: readonly Run[], frame: LaneFrame) {
  const { axis, to } = frame;
  const [run] = runs;
  let [begin, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let urgent: Priority = 'LOW';
  let finished = 0;
  for (const each of runs) {
    begin = Math.min(begin, each.from);
    end = Math.max(end, each.to ?? to);
    if (rank(each.priority) < rank(urgent)) urgent = each.priority;
    if (isFinished(each)) finished += 1;
  }
  const [left, right] = [axis.at(begin), axis.at(end)];
  const isOne = runs.length === 1 && run !== undefined;
  return {
    left,
    width: right - left,
    priority: urgent,
    href: isOne ? frame.hrefOf(run) : null,
    words: isOne
      ? runText(run, frame)
      : `${runs.length} tasks, dispatched ${frame.localTime(begin)} and later, ${finished} finished, the most urgent ${urgent}`,
    sign: isOne ? SIGNS[signOf(run)] : '',
    spans: isOne
      ? run.spans.map((span) => ({ place: span.place, left: axis.at(span.from), right: axis.at(span.to ?? to) }))
      : [{ place: 'many', left, right }],
  };
}

const SIGNS = { open: '', finished: '✓', lost: '✕' } as const;

function signOf(run: Run): keyof typeof SIGNS {
  if (run.ending === null) return 'open';
  return isFinished(run) ? 'finished' : 'lost';
}

function drawn({ left, width, priority, href, words, sign, spans }: Bar, row: number) {
  const height = HEIGHTS[priority];
  const y = 2 + row * ROW_PX + (ROW_PX - height) / 2;
  return {
    href,
    words,
    class: priority.toLowerCase(),
    sign: width >= SIGN_ROOM ? { text: sign, x: percent(left + width), y: 2 + row * ROW_PX + ROW_PX / 2 + 4 } : null,
    parts: spans.map((span) => ({
      class: span.place,
      x: percent(span.left),
      y,
      width: percent(Math.max(span.right - span.left, spans.length === 1 ? 0.25 : 0.05)),
      height,
      blocked: span.place === 'blocked',
    })),
    // What can be hit: at least so wide, and as high as the row.
    hit: { x: percent(left), y: 2 + row * ROW_PX, width: percent(Math.max(width, NARROW)), height: ROW_PX },
  };
}
