// Pictures of numbers: waiting over time, dispatches by day, and how long things took. Values in, attributes out.

import { scaleLinear } from 'd3-scale';
import { area, curveStepAfter, stack } from 'd3-shape';
import { fromRfc3339 } from '../../core/clock.ts';
import { BOUNDS, classOf } from '../../core/history/histogram.ts';
import type { Outage, Report, WaitingAt } from '../../core/history/report.ts';
import type { Period } from '../../core/history/tally.ts';
import { PRIORITIES, type Priority } from '../../core/issue/priority.ts';
import { percent, type TimeAxis } from './time-axis.ts';

/** Height of a plot without its axis. */
const HEIGHT = 160;
/** The paths are drawn this wide, and stretched to the width there is. */
const WIDTH = 1000;
/** Samples are ten minutes apart, or a stretch: what is further apart is a gap, and no line. */
const GAP_MS = 35 * 60_000;
const STRETCHES = 240;

/** Waiting tasks by priority, the most urgent at the bottom; empty where no pass looked. */
export function waitingPlot(waiting: Report['waiting'], outages: readonly Outage[], axis: TimeAxis, period: Period) {
  const most = Math.max(1, ...waiting.map((sample) => totalOf(sample)));
  const y = scaleLinear().domain([0, most]).nice(4).range([HEIGHT, 0]);
  const gap = Math.max(GAP_MS, (2.5 * (period.to - period.from)) / STRETCHES);
  const points = waiting.flatMap((sample, index) => {
    const at = fromRfc3339(sample.at) ?? 0;
    const next = fromRfc3339(waiting[index + 1]?.at ?? '') ?? period.to;
    const point = { sample, x: (axis.at(at) / 100) * WIDTH, isKnown: true };
    if (next - at <= gap) return index === waiting.length - 1 ? [point, { ...point, x: WIDTH }] : [point];
    const end = (axis.at(at + Math.min(gap, next - at) / 2) / 100) * WIDTH;
    return [point, { ...point, x: end }, { ...point, x: end, isKnown: false }];
  });
  const layers = stack<(typeof points)[number], Priority>()
    .keys(PRIORITIES)
    .value(({ sample }, priority) => sample[priority])(points);
  const shape = area<(typeof layers)[number][number]>()
    .defined(({ data }) => data.isKnown)
    .x(({ data }) => round(data.x))
    .y0((layer) => round(y(layer[0])))
    .y1((layer) => round(y(layer[1])))
    .curve(curveStepAfter);
  return {
    height: HEIGHT,
    width: WIDTH,
    layers: layers.map((layer) => ({ class: layer.key.toLowerCase(), path: shape(layer) ?? '' })),
    lines: linesOf(y),
    outages: outages.map(({ from, to }) => {
      const [left, right] = [axis.at(fromRfc3339(from) ?? 0), axis.at(fromRfc3339(to ?? '') ?? period.to)];
      return { x: percent(left), width: percent(Math.max(0.3, right - left)) };
    }),
  };
}

/** Dispatched and finished tasks of each hour or day, side by side. */
export function stepsPlot(steps: Report['steps'], axis: TimeAxis, period: Period) {
  const most = Math.max(1, ...steps.flatMap(({ dispatched, finished }) => [dispatched, finished]));
  const y = scaleLinear().domain([0, most]).nice(4).range([HEIGHT, 0]);
  const bars = steps.flatMap((step, index) => {
    const left = axis.at(fromRfc3339(step.from) ?? 0);
    const right = axis.at(fromRfc3339(steps[index + 1]?.from ?? '') ?? period.to);
    const half = (right - left) * 0.44;
    const bar = (name: string, value: number, x: number) =>
      value === 0 ? [] : [{ class: name, x: percent(x), width: percent(half), ...column(y, value) }];
    return [...bar('sent', step.dispatched, left), ...bar('finished', step.finished, left + half)];
  });
  return { height: HEIGHT, bars, lines: linesOf(y) };
}

/** How many durations fell into each class, one on top of another by priority. */
export function classesPlot(durations: readonly { readonly priority: Priority; readonly ms: number }[]) {
  const classes = classesOf(durations);
  const most = Math.max(1, ...classes.map(({ total }) => total));
  const y = scaleLinear().domain([0, most]).nice(4).range([HEIGHT, 0]);
  const each = 100 / classes.length;
  return {
    height: HEIGHT,
    lines: linesOf(y),
    bars: classes.flatMap(({ counts }, index) => {
      let below = 0;
      return PRIORITIES.flatMap((priority) => {
        const count = counts[priority];
        const base = below;
        below += count;
        if (count === 0) return [];
        const top = y(base + count);
        return [
          {
            class: priority.toLowerCase(),
            x: percent(index * each + each * 0.1),
            width: percent(each * 0.8),
            y: round(top),
            height: round(y(base) - top),
          },
        ];
      });
    }),
    labels: classes.map(({ label }, index) => ({ x: percent((index + 0.5) * each), label })),
  };
}

/** The classes of durations with their counts, as the table shows them. */
export function classesOf(durations: readonly { readonly priority: Priority; readonly ms: number }[]) {
  const classes = LABELS.map(({ label, words }) => ({
    label,
    words,
    counts: { CRITICAL: 0, HIGH: 0, NORMAL: 0, LOW: 0 },
    total: 0,
  }));
  for (const { priority, ms } of durations) {
    const found = classes[classOf(ms / 1000)];
    if (!found) continue;
    found.counts[priority] += 1;
    found.total += 1;
  }
  return classes;
}

const NAMES = ['1m', '5m', '15m', '1h', '4h', '12h', '1d', '3d', '7d'] as const;
const LABELS = [...BOUNDS.map((_, index) => NAMES[index] ?? ''), '+'].map((label, index, all) => ({
  label,
  words:
    label === '+' ? `more than ${all[index - 1]}` : index === 0 ? `up to ${label}` : `${all[index - 1]} to ${label}`,
}));

function totalOf(sample: WaitingAt): number {
  return PRIORITIES.reduce((sum, priority) => sum + sample[priority], 0);
}

type Scale = ReturnType<typeof scaleLinear<number, number>>;

function column(y: Scale, value: number): { readonly y: number; readonly height: number } {
  return { y: round(y(value)), height: round(HEIGHT - y(value)) };
}

// Whole numbers only: there is no half a task.
function linesOf(y: Scale): readonly { readonly y: number; readonly label: string }[] {
  return y
    .ticks(4)
    .filter((value) => Number.isInteger(value))
    .map((value) => ({ y: round(y(value)), label: String(value) }));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
