import { inOrder } from '../in-order.ts';

/** What is told of many durations. Seconds; null: there were none. */
export interface Durations {
  readonly count: number;
  readonly median: number | null;
  readonly p95: number | null;
  readonly longest: number | null;
}

/** The figures of durations in milliseconds. Each figure is one of them (nearest rank), never a mean of two. */
export function durationsOf(...lists: readonly (readonly number[])[]): Durations {
  const sorted = joined(lists).toSorted();
  const at = (share: number): number | null => {
    const ms = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return ms === undefined ? null : Math.round(ms / 1000);
  };
  return { count: sorted.length, median: at(0.5), p95: at(0.95), longest: at(1) };
}

// As numbers of a fixed size, which are sorted ten times as fast as the items of an array.
function joined(lists: readonly (readonly number[])[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const list of lists) {
    all.set(list, filled);
    filled += list.length;
  }
  return all;
}

/** Milliseconds within `from` to `to` that at least one of the stretches covers. */
export function coveredMs(
  stretches: readonly { readonly from: number; readonly to: number }[],
  from: number,
  to: number,
): number {
  let covered = 0;
  let reached = from;
  for (const stretch of inOrder(stretches, (each) => each.from)) {
    const begin = Math.max(stretch.from, reached);
    const end = Math.min(stretch.to, to);
    if (end > begin) covered += end - begin;
    reached = Math.max(reached, end);
  }
  return covered;
}
