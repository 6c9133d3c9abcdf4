import { scaleTime } from 'd3-scale';
import { timeFormat } from 'd3-time-format';
import type { Instant } from '../../core/clock.ts';

/** A time that pictures show, as a scale to per cent of their width. */
export interface TimeAxis {
  /** `12.50`: where a moment is, in per cent; outside of the time, its nearer end. */
  readonly at: (moment: Instant) => number;
  readonly ticks: readonly { readonly x: string; readonly label: string }[];
}

const DAY_MS = 86_400_000;
/** So many marks have room on a telephone. */
const MOST_TICKS = 5;

/** The axis from one moment to another, with its marks at round local times. */
export function timeAxis(from: Instant, to: Instant): TimeAxis {
  const scale = scaleTime()
    .domain([new Date(from), new Date(to)])
    .range([0, 100])
    .clamp(true);
  const days = (to - from) / DAY_MS;
  const format = timeFormat(days <= 2 ? '%H:%M' : days <= 8 ? '%a %d' : '%d %b');
  return {
    // The same as the scale, of which tens of thousands are asked.
    at: (moment) => Math.min(100, Math.max(0, ((moment - from) / (to - from)) * 100)),
    ticks: scale
      .ticks(MOST_TICKS)
      .map((date) => ({ x: percent(scale(date)), label: format(date) }))
      .filter(({ x }) => Number.parseFloat(x) > 4 && Number.parseFloat(x) < 95),
  };
}

/** A number as an attribute of a picture takes it: `12.5%`. */
export function percent(value: number): string {
  return `${Math.round(value * 100) / 100}%`;
}
