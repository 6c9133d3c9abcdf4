// The one read model: what `status`, `status --json` and the page show is this, made from local files alone.

import { type Instant, fromRfc3339, toRfc3339 } from '../clock.ts';
import { nextFreeSlot } from '../choice/slot.ts';
import type { Config } from '../config/config.ts';
import type { Servers } from '../config/servers.ts';
import type { ErrorRecord } from '../errors.ts';
import type { DispatchRecord } from '../state/dispatch-record.ts';
import {
  type Cause,
  causeOf,
  type Health,
  healthChanges,
  healthOf,
  type Timer,
  type TimerState,
  type TimerUnit,
} from './health.ts';
import { issueAddress } from '../issue/issue.ts';
import { activePauses, type Pause } from '../state/pause.ts';
import type { Stall, Taken } from '../mailbox/claim.ts';
import type { Priority } from '../issue/priority.ts';
import type { RestRecord, RowRecord } from '../state/decision-record.ts';
import type { PassHistory, PassRecord } from '../state/last-pass.ts';
import { lastDispatchAt } from '../state/state.ts';
import type { Machines } from '../store/machines.ts';
import type { TaskFile, TaskState } from '../task/status.ts';
import {
  type AgentStatus,
  agentsOf,
  countIn,
  hasTable,
  isPassedOver,
  isWaiting,
  type WorkCounts,
} from './agent-status.ts';

/** The document of `status --json`; deploy/programs.md describes each field. Fields may be added, never changed. */
export interface Snapshot {
  readonly schemaVersion: 1;
  readonly generatedAt: string;
  readonly version: string;
  /** The only one, or the first. */
  readonly server: string;
  /** Where there are several: which they are, and whether they answer. */
  readonly servers?: readonly ServerStatus[];
  readonly health: Health;
  /** Why nothing moves, or that it does. */
  readonly cause: Cause;
  /** What systemd says of the timer; null when it was not asked, because the passes run. */
  readonly timer: TimerState;
  readonly timerUnit: TimerUnit | null;
  readonly lastPass: (Omit<PassRecord, 'rows' | 'rest' | 'warnings'> & { readonly durationMs: number }) | null;
  readonly lastSuccessAt: string | null;
  readonly consecutiveFailures: number;
  readonly failingSince: string | null;
  /** Those that hold now. */
  readonly pauses: readonly Pause[];
  readonly slot: { readonly opensAt: string; readonly free: boolean; readonly lastDispatchAt: string | null };
  readonly counts: {
    readonly waiting: number;
    readonly dispatched: number;
    readonly done: number;
    readonly skipped: number;
    readonly dispatchedToday: number;
  } & WorkCounts;
  readonly next: {
    readonly ref: string;
    readonly agent: string;
    readonly priority: Priority;
    readonly title: string;
    readonly url: string;
  } | null;
  /** Of those that wait, the one that was opened first. */
  readonly oldestWaiting: {
    readonly ref: string;
    readonly priority: Priority;
    readonly createdAt: string;
  } | null;
  readonly agents: readonly AgentStatus[];
  readonly skipped: readonly (Pick<RowRecord, 'ref' | 'agent' | 'priority' | 'title' | 'reason' | 'detail'> & {
    readonly url: string;
  })[];
  /** Candidates that are counted, and neither among the tasks of their agent nor among the skipped ones. */
  readonly rest: readonly RestRecord[];
  readonly recent: readonly DispatchRecord[];
  readonly warnings: readonly string[];
  /** All machines of the office, as this one saw them at the end of its last pass; null: there is one. */
  readonly hosts: Machines | null;
}

interface ServerStatus {
  readonly name: string;
  readonly url: string;
  /** Null: it answered the last pass. */
  readonly away: (ErrorRecord & { readonly since: string }) | null;
}

interface Sources {
  readonly config: Pick<Config, 'servers' | 'agents' | 'rateLimitMs' | 'tasksDirectory'>;
  readonly version: string;
  readonly state: PassHistory;
  readonly pauses: readonly Pause[];
  readonly files: readonly TaskFile[];
  /** Why a task that is taken is stalled; null: it is not. */
  readonly stallOf: (taken: Taken) => Stall | null;
  readonly dispatches: readonly DispatchRecord[];
  /** Null or missing: this machine works alone. */
  readonly hosts?: Machines | null;
  /** When the day began where the reader is. */
  readonly midnight: Instant;
  readonly warnings: readonly string[];
}

const RECENT = 50;

/** Puts the local files together to one picture. */
export function snapshotOf(sources: Sources, now: Instant): Snapshot {
  const { config, state, dispatches } = sources;
  const files = sources.files.map((file) => withStall(file, sources.stallOf));
  const onDisk = new Set(files.map((file) => file.task.file));
  const { waiting, skipped, rest, counted } = candidatesOf(state, onDisk);
  const agents = agentsOf(config, files, [...waiting, ...skipped.filter((row) => hasTable(row))], rest);
  const count = (kind: TaskState | keyof WorkCounts): number =>
    agents.reduce((all, agent) => all + agent.counts[kind], 0);
  const [next] = waiting;
  const last = lastDispatchAt(state);
  const opensAt = nextFreeSlot(last, config.rateLimitMs, now);
  const health = healthOf(state, sources.pauses, now);
  return {
    schemaVersion: 1,
    generatedAt: toRfc3339(now),
    version: sources.version,
    server: config.servers[0].url,
    ...serversOf(config.servers, state),
    health,
    cause: causeOf({ health, timer: null, waiting: counted.waiting, held: counted.skipped }, state.lastPass),
    timer: null,
    timerUnit: null,
    lastPass: state.lastPass ? passStatus(state.lastPass) : null,
    lastSuccessAt: state.lastSuccessAt,
    consecutiveFailures: state.consecutiveFailures,
    failingSince: state.failingSince,
    pauses: activePauses(sources.pauses, now),
    slot: {
      opensAt: toRfc3339(opensAt),
      free: opensAt <= now,
      lastDispatchAt: last === null ? null : toRfc3339(last),
    },
    counts: {
      waiting: counted.waiting,
      dispatched: count('dispatched'),
      done: count('done'),
      new: count('new'),
      doing: count('doing'),
      stalled: count('stalled'),
      blocked: count('blocked'),
      skipped: counted.skipped,
      dispatchedToday: dispatches.filter((entry) => (fromRfc3339(entry.at) ?? 0) >= sources.midnight).length,
    },
    next: next ? { ...pick(next), url: issueAddress(config.servers, next.repository, next.issue) } : null,
    oldestWaiting: oldest(waiting, rest),
    agents,
    skipped: skipped.map((row) => ({
      ...pick(row),
      reason: row.reason,
      detail: row.detail,
      url: issueAddress(config.servers, row.repository, row.issue),
    })),
    rest,
    recent: dispatches.slice(-RECENT).toReversed(),
    warnings: [...sources.warnings, ...(state.lastPass?.warnings ?? [])],
    hosts: sources.hosts ?? null,
  };
}

function serversOf(servers: Servers, { away = [] }: PassHistory): Pick<Snapshot, 'servers'> {
  if (servers.length === 1) return {};
  return {
    servers: servers.map(({ name, url }) => {
      const missing = away.find(({ server }) => server === name);
      return { name: name ?? '', url, away: missing ? { since: missing.since, ...missing.error } : null };
    }),
  };
}

/** The same picture, with what systemd says of the timer. */
export function withTimer(snapshot: Snapshot, { state: timer, unit }: Timer): Snapshot {
  const { health, counts, lastPass } = snapshot;
  return {
    ...snapshot,
    timer,
    timerUnit: unit,
    cause: causeOf({ health, timer, waiting: counts.waiting, held: counts.skipped }, lastPass),
  };
}

/** The next moment at which time alone makes another picture: the slot opens, the last pass is long ago, a pause or a day ends. */
export function nextChangeAt({ generatedAt, slot, lastPass, pauses }: Snapshot): Instant {
  const now = fromRfc3339(generatedAt) ?? 0;
  const finishedAt = fromRfc3339(lastPass?.finishedAt ?? '');
  const midnight = new Date(now).setHours(24, 0, 0, 0);
  const ends = pauses.map(({ until }) => fromRfc3339(until ?? '') ?? 0);
  const moments = [fromRfc3339(slot.opensAt) ?? 0, ...healthChanges(finishedAt), ...ends, midnight];
  return Math.min(...moments.filter((at) => at > now));
}

// A task that was dispatched by hand since the last pass still stands there as waiting.
function candidatesOf({ lastPass }: PassHistory, onDisk: ReadonlySet<string>) {
  const rows = (lastPass?.rows ?? []).filter((row) => row.file === null || !onDisk.has(row.file));
  const waiting = rows.filter((row) => isWaiting(row));
  const skipped = rows.filter((row) => isPassedOver(row));
  const rest = (lastPass?.rest ?? []).filter((each) => isWaiting(each) || isPassedOver(each));
  const counted = {
    waiting: waiting.length + countIn(rest.filter((each) => isWaiting(each))),
    skipped: skipped.length + countIn(rest.filter((each) => isPassedOver(each))),
  };
  return { waiting, skipped, rest, counted };
}

function pick({ ref, agent, priority, title }: RowRecord) {
  return { ref, agent, priority, title };
}

function withStall({ task, taken, agent }: TaskFile, stallOf: Sources['stallOf']): TaskFile {
  return { agent, taken, task: taken ? { ...task, stalled: stallOf(taken) } : task };
}

function oldest(waiting: readonly RowRecord[], rest: readonly RestRecord[]): Snapshot['oldestWaiting'] {
  const others = rest.filter((each) => isWaiting(each));
  const rows = [...waiting, ...others.map(({ priority, oldest: one }) => ({ priority, ...one }))];
  const [first] = rows.toSorted((a, b) => (fromRfc3339(a.createdAt) ?? 0) - (fromRfc3339(b.createdAt) ?? 0));
  return first ? { ref: first.ref, priority: first.priority, createdAt: first.createdAt } : null;
}

function passStatus({
  rows: _rows,
  rest: _rest,
  warnings: _warnings,
  ...pass
}: PassRecord): NonNullable<Snapshot['lastPass']> {
  return {
    ...pass,
    durationMs: Math.round((fromRfc3339(pass.finishedAt) ?? 0) - (fromRfc3339(pass.startedAt) ?? 0)),
  };
}
