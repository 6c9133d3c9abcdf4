// What the dispatcher remembers, brought into agreement with what is on the disk. A pass can be killed at any moment;
// the next one finds here what it left behind, mends it, and says so.

import { fromRfc3339, type Instant, toRfc3339 } from '../core/clock.ts';
import { longestOwnLimit } from '../core/choice/own-limits.ts';
import { clockShift } from '../core/state/clock-shift.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { answered, turnKey } from '../core/choice/turns.ts';
import { serverOf, taskKey } from '../core/issue/identity.ts';
import type { State } from '../core/state/state.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import type { LogEvent } from '../core/health/log-event.ts';
import type { DispatchDeps } from './pass-deps.ts';
import { wantsReceipt } from './prepare.ts';
import { onServers } from '../core/task/on-servers.ts';
import { withTask } from './publish.ts';

type LedgerDeps = Pick<DispatchDeps, 'state' | 'journal' | 'tasks' | 'trying' | 'config' | 'uptime'>;

/** What there is to remember, and what a pass that may write should do about it first. */
interface Ledger {
  readonly state: State;
  /** The state as it is on the disk. */
  readonly stored: State;
  readonly findings: readonly LogEvent[];
  /** Does the mending on the disk. Not called by a dry run. */
  readonly repair: () => void;
}

/** Reads the state, and corrects it by what the disk shows. It never makes the next slot open earlier. */
export function openLedger(deps: LedgerDeps, now: Instant): Ledger {
  const stored = deps.state.read();
  const findings: LogEvent[] = [];
  const repairs: (() => void)[] = [];
  const find = (name: LogEvent['name'], message: string): void => void findings.push({ name, message });

  let state = stored.found === 'whole' ? stored.state : fromDisk(stored.state, deps);
  if (stored.found === 'broken') {
    find(
      'WARNING',
      `the state file is unreadable; it is kept beside its place, and the last dispatch counts as of ${lastDispatchText(state)}`,
    );
    repairs.push(() => void deps.state.setAside(now));
  }
  if (stored.found === 'missing' && state.lastDispatch) {
    find('WARNING', `the state file is gone; the last dispatch counts as of ${lastDispatchText(state)}`);
  }

  const interrupted = withoutPending(state, deps);
  if (interrupted) {
    state = interrupted.state;
    find('RECOVERED', interrupted.message);
    const { record } = interrupted;
    if (record) repairs.push(() => deps.journal.append(record));
  }

  if (state.tasks === null) state = { ...state, tasks: gatheredTasks(deps) };
  state = withServers(state, deps);

  const tried = deps.trying.left();
  if (tried) {
    const message = `a pass ended while it was at ${tried.ref} for ${tried.agent}: killed, or held up by that issue`;
    const turns = answered(state.turns, 'hang', tried.key, { kind: 'failed', message }, now);
    const tries = turns[turnKey('hang', tried.key)]?.tries ?? 0;
    state = { ...state, turns };
    if (tries > 1)
      find('WARNING', `${tries} passes in a row ended while they were at ${tried.ref}; it has to wait now`);
    repairs.push(() => {
      // On the disk before it is tried again, or the next pass would count anew.
      deps.state.write(state);
      deps.trying.end();
    });
  }

  const shifted = clockShift(state.lastDispatch, deps.config.rateLimitMs, deps.uptime(), now);
  if (shifted) {
    if (shifted.message !== null) find('WARNING', shifted.message);
    state = { ...state, lastDispatch: { ...shifted.last, ref: state.lastDispatch?.ref ?? null, pending: null } };
  }
  state = withoutShiftedScopes(state, deps, now);
  return { state, stored: stored.state, findings, repair: () => repairs.forEach((repair) => repair()) };
}

// A pass was stopped between taking the slot and recording the dispatch: whether its file appeared tells how far it came.
function withoutPending(
  state: State,
  deps: LedgerDeps,
): { readonly state: State; readonly message: string; readonly record: DispatchRecord | null } | null {
  const { lastDispatch } = state;
  if (!lastDispatch?.pending) return null;
  const { record, task } = lastDispatch.pending;
  const published = deps.tasks.published(record.file);
  // An older file of the same name may be there still, when a forced dispatch was stopped before it replaced it.
  const isWhole = published?.dispatchedAt === record.at;
  const isJournalled =
    isWhole && deps.journal.read().some((entry) => entry.at === record.at && entry.file === record.file);
  const recorded = fromRfc3339(lastDispatch.at) ?? 0;
  const at = Math.max(isWhole ? published.appearedAt : 0, recorded);
  const { uptime } = lastDispatch;
  const tracked = task ?? trackedFrom(record, deps);
  const key = taskKey(tracked.server, tracked.issueId, tracked.agent);
  const known = isWhole && state.tasks ? withTask(state, key, tracked) : state;
  return {
    state: {
      ...known,
      lastDispatch: {
        at: toRfc3339(at),
        ref: record.ref,
        pending: null,
        uptime: uptime && { ...uptime, ms: uptime.ms + at - recorded },
      },
    },
    message: isWhole
      ? `the pass before was stopped after ${record.ref} was published for ${record.agent}; the record is complete now`
      : `the pass before was stopped before ${record.ref} was published for ${record.agent}; its slot is lost, the task is not`,
    record: isWhole && !isJournalled ? record : null,
  };
}

// What an older version dispatched, or a lost state knew: the journal tells, and the files that are still there.
function gatheredTasks(deps: LedgerDeps): State['tasks'] {
  const all = new Map<string, TrackedTask>();
  for (const record of deps.journal.read()) {
    const task = trackedFrom(record, deps);
    all.set(taskKey(task.server, task.issueId, task.agent), task);
  }
  return Object.fromEntries([...all].filter(([, task]) => deps.tasks.whereIs(task) !== null));
}

function trackedFrom(record: DispatchRecord, { config }: LedgerDeps): TrackedTask {
  const [repository = '', number] = record.ref.split('#');
  const { issueId, agent, file, attempt } = record;
  return {
    server: record.server ?? serverOf(config.servers[0].url),
    issueId,
    repository,
    number: Number(number),
    agent,
    file,
    dispatches: 1,
    attempt,
    // Only a forced dispatch may go to somebody else; then nobody waits for it to be taken away from him.
    isAssigned: record.isAssigned ?? record.trigger !== 'forced',
    seen: null,
    updates: 0,
    // Leaving it once more edits it.
    receipt: wantsReceipt(config) ? 'due' : 'none',
    receiptComment: null,
    receiptShows: null,
    progress: null,
    waitsFor: null,
    hook: null,
    pulls: [],
    offerAgain: null,
    arePullsStale: true,
  };
}

// A server that has another address or name now is the same one all the same.
function withServers(state: State, { config }: LedgerDeps): State {
  const renamed = onServers(config);
  const tasks = Object.values(state.tasks ?? {});
  const now = tasks.map((task) => renamed(task));
  if (now.every((task, index) => task === tasks[index])) return state;
  const entries = now.map((task) => [taskKey(task.server, task.issueId, task.agent), task] as const);
  return { ...state, tasks: Object.fromEntries(entries) };
}

// Without a state file the files themselves tell when the last one appeared.
function fromDisk(state: State, deps: LedgerDeps): State {
  const journalled = fromRfc3339(deps.journal.read().at(-1)?.at ?? '') ?? 0;
  const newest = Math.max(deps.tasks.newestTime() ?? 0, journalled);
  if (newest === 0) return state;
  const last = { at: toRfc3339(newest), uptime: null };
  // Whose file that was nobody looks up: it counts for each limit.
  const lastOf = longestOwnLimit(deps.config) > 0 ? { lastOf: { '*': last } } : {};
  return { ...state, lastDispatch: { ...last, ref: null, pending: null }, ...lastOf };
}

// The same for the limits of agents and repositories; of these nothing is said.
function withoutShiftedScopes(state: State, deps: LedgerDeps, now: Instant): State {
  if (!state.lastOf) return state;
  const longest = longestOwnLimit(deps.config);
  const kept = Object.entries(state.lastOf).map(([scope, last]) => {
    return [scope, clockShift(last, longest, deps.uptime(), now)?.last ?? last] as const;
  });
  return { ...state, lastOf: Object.fromEntries(kept) };
}

function lastDispatchText(state: State): string {
  return state.lastDispatch?.at ?? 'never';
}
