import type { Instant } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import type { Histogram } from '../core/history/histogram.ts';
import type { Past } from '../core/history/past.ts';
import type { DispatchRecord, DispatchTotal } from '../core/state/dispatch-record.ts';
import type { ErrorRecord } from '../core/errors.ts';
import type { Snapshot } from '../core/health/snapshot.ts';

/** What the local files say: the snapshot, or why there is none. */
export type Local =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'unreadable'; readonly error: ErrorRecord };

/** What the dashboard needs of the outside: local files, read only. No token, no network but the pages it serves. */
export interface DashboardDeps {
  readonly config: Pick<Config, 'servers' | 'repositories' | 'dashboard' | 'historyKeepMs' | 'monitor'>;
  readonly version: string;
  readonly timeZone: string;
  readonly now: () => Instant;
  readonly sleep: (ms: number) => Promise<void>;
  /** Another text when a local file became another one. */
  readonly fingerprint: () => string;
  /** What the local files say now. `isNew`: the fingerprint is another one, so the task files are listed again. */
  readonly look: (isNew: boolean) => Local;
  /** The last dispatches, oldest first, and how many there ever were. */
  readonly history: () => { readonly recent: readonly DispatchRecord[]; readonly totals: readonly DispatchTotal[] };
  /** Everything that the history tells. */
  readonly past: () => Past;
  /** How long tasks waited and were worked on, counted since counting began. */
  readonly durations: () => { readonly waited: readonly Histogram[]; readonly worked: readonly Histogram[] };
  /** Lines of the log since it was last asked. */
  readonly newLogLines: () => {
    readonly lines: readonly { readonly position: string; readonly text: string }[];
    readonly restarted: boolean;
  };
  readonly readTask: (
    agent: string,
    file: string,
  ) => { readonly path: string; readonly text: string; readonly cut: number } | null;
  /** The text of a template or asset of the dashboard. */
  readonly source: (name: string) => string;
  /** What visitors must know, or null when nobody is asked. */
  readonly password: string | null;
}
