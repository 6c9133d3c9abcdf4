/** Milliseconds since 1970, possibly with a fraction. Core code takes it as a parameter and never reads a clock. */
export type Instant = number;

/** How long the machine has been up, suspended time included: it runs on evenly whatever the clock is set to. */
export interface Uptime {
  /** Another one after each start of the machine. */
  readonly bootId: string;
  readonly ms: number;
}

/** Linux tells the uptime in steps of this size. */
const UPTIME_STEP_MS = 10;

/**
 * Milliseconds that have passed for certain between two readings; undefined when the machine was started again in between,
 * or nobody knows.
 */
export function elapsedBetween(earlier: Uptime | null, later: Uptime | null): number | undefined {
  if (earlier === null || later === null || earlier.bootId !== later.bootId) return undefined;
  // A container that was started again counts anew under the same name.
  return later.ms < earlier.ms ? undefined : Math.max(0, later.ms - earlier.ms - UPTIME_STEP_MS);
}

/** RFC 3339 in UTC, as state files and JSON carry it. */
export function toRfc3339(at: Instant): string {
  return new Date(at).toISOString();
}

/** Parses RFC 3339; undefined when it is no date. */
export function fromRfc3339(text: string): Instant | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Beyond ten years an instant plus a duration would soon be no date any more. */
const LONGEST = 3650 * 86_400_000;

/** What a duration looks like that people write. */
export const DURATION = /^(\d{1,12})\s*(ms|s|m|h|d)$/u;

/** Milliseconds of a duration as people write it, such as `60s`, `5m`, `1h`, `3d`; undefined: it is none, or longer than ten years. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const ms = Number(count) * (UNITS[unit] ?? Number.NaN);
  return ms <= LONGEST ? ms : undefined;
}

/** Milliseconds of a duration that the configuration's schema has looked at. */
export function durationOf(text: string): number {
  return parseDuration(text) ?? Number.NaN;
}

/** `39s`, `12m`, `2h`, `3d`: the largest whole unit, seconds up to 99. Negative durations count as nothing. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  // A minute and a half is told better in seconds: everything here happens once a minute.
  if (seconds < 100) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
