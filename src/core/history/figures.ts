/** What is told of many durations. Seconds; null: there were none. */
export interface Durations {
  readonly count: number;
  readonly median: number | null;
  readonly p95: number | null;
  readonly longest: number | null;
}

/** The figures of durations in milliseconds. Each figure is one of them (nearest rank), never a mean of two. */
export function durationsOf(all: readonly number[]): Durations {
  const sorted = Float64Array.from(all).toSorted(); // as numbers, and ten times as fast as an array
  const at = (share: number): number | null => {
    const ms = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return ms === undefined ? null : Math.round(ms / 1000);
  };
  return { count: sorted.length, median: at(0.5), p95: at(0.95), longest: at(1) };
}

/** Milliseconds within `from` to `to` that at least one of the stretches covers. */
export function coveredMs(
  stretches: readonly { readonly from: number; readonly to: number }[],
  from: number,
  to: number,
): number {
  let covered = 0;
  let reached = from;
  for (const stretch of stretches.toSorted((a, b) => a.from - b.from)) {
    const begin = Math.max(stretch.from, reached);
    const end = Math.min(stretch.to, to);
    if (end > begin) covered += end - begin;
    reached = Math.max(reached, end);
  }
  return covered;
}
