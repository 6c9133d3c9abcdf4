// What the page of the history can be asked for, and what it is made from.

import type { Past } from '../../core/history/past.ts';
import type { Snapshot } from '../../core/health/snapshot.ts';

/** The times that the page can show, as its address names them. */
export const RANGES = ['day', 'week', 'month', 'all'] as const;
export type Range = (typeof RANGES)[number];

/** What the page of the history is made from. */
export interface HistorySources {
  readonly past: Past;
  readonly snapshot: Snapshot;
  readonly range: Range;
  /** Null: all agents. */
  readonly agent: string | null;
  /** How long the history is kept. */
  readonly keepMs: number;
}

/** The address of the history in a time, of one agent or of all (null). */
export function hrefFor(range: Range, agent: string | null): string {
  return `/history?range=${range}${agent === null ? '' : `&agent=${encodeURIComponent(agent)}`}`;
}
