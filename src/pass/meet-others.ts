// A pass meets the other machines, where there are any: it tells what it has, learns what holds for all, and sees from then on
// through what it learnt. Where there are none, nothing of this changes anything.

import { elapsedBetween, fromRfc3339, type Instant, toRfc3339 } from '../core/clock.ts';
import { type Config, PLAIN_AGENT } from '../core/config/config.ts';
import { patternText } from '../core/config/patterns.ts';
import { nameOn } from '../core/config/servers.ts';
import { messageOf } from '../core/errors.ts';
import { taskKey } from '../core/issue/identity.ts';
import { refOf } from '../core/issue/issue.ts';
import type { AgentTerms, Holding, Meeting, Report } from '../core/store/store.ts';
import type { Appearance, State } from '../core/state/state.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import { troubleOf } from './choose.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** What a pass knows after it met the others. */
export interface Met {
  readonly deps: DispatchDeps;
  readonly state: State;
  readonly meeting: Meeting;
  /** Whether an agent lives on other machines alone. */
  readonly isElsewhere: (agent: string) => boolean;
}

/** Meets the others. `isDry`: nothing is written, here or there. Throws exit 75 or 78 when that is not possible. */
export async function meetOthers(deps: DispatchDeps, state: State, isDry = false): Promise<Met> {
  const meeting = await deps.store.meet(() => reportOf(deps, state), isDry);
  const here = (agent: string): boolean => deps.config.agents?.has(agent) ?? true;
  const { windows } = meeting;
  // Alone.
  if (windows === null) return { deps, state, meeting, isElsewhere: () => false };
  const held = isDry ? state : withoutLost(deps, withLeases(state, meeting), meeting);
  return {
    deps: throughMeeting(deps, meeting, here),
    state: withWindows(held, windows, deps),
    meeting,
    isElsewhere: (agent) => !here(agent),
  };
}

function reportOf(deps: DispatchDeps, state: State): Report {
  const { config } = deps;
  const { tasks, lastDispatch } = state;
  const elapsed = elapsedBetween(lastDispatch?.uptime ?? null, deps.uptime());
  return {
    version: deps.version,
    agents:
      config.agents &&
      Object.fromEntries([...config.agents.keys()].map((agent) => [agent, termsOf(deps, state, agent)])),
    holdings: tasks && Object.entries(tasks).map(([key, task]) => holdingOf(deps, key, task)),
    // Long ago it closes nothing any more.
    lastFileAgo: elapsed !== undefined && elapsed < 2 * config.rateLimitMs ? elapsed : null,
    rateLimitMs: config.rateLimitMs,
    scope: scopeOf(config),
  };
}

/** What this machine would list, in short: others that list the same can do it for this one. */
export function scopeOf({ servers, repositories }: Pick<Config, 'servers' | 'repositories'>): string {
  const named = repositories.map((pattern) => patternText(pattern).toLowerCase());
  return [...servers.map(({ name, url }) => nameOn(name, url)), ...named].toSorted().join(' ');
}

function termsOf(deps: DispatchDeps, state: State, agent: string): AgentTerms {
  const { agents, agentLabels, rateLimits } = deps.config;
  return {
    maxTasks: agents?.get(agent)?.maxTasks ?? null,
    labels: agentLabels.get(agent) ?? null,
    rateLimitMs: rateLimits.agents.get(agent) ?? null,
    ...(troubleOf(deps, state, agent) === null ? {} : { isUnusable: true }),
  };
}

function holdingOf(deps: DispatchDeps, key: string, task: TrackedTask): Holding {
  const { server, issueId, repository, number, agent, dispatches, file } = task;
  // A folder that cannot be looked into has lost nothing.
  const stage = deps.tasks.stageOf(task) ?? (deps.tasks.whereIs(task) === null ? 'gone' : 'new');
  return { key, server, issueId, repository, number, agent, dispatches, file, stage, lease: task.lease ?? null };
}

function withLeases(state: State, { leases }: Meeting): State {
  const changed = Object.entries(state.tasks ?? {}).flatMap(([key, task]): [string, TrackedTask][] => {
    const lease = leases.get(key);
    return lease ? [[key, { ...task, lease }]] : [];
  });
  return changed.length === 0 ? state : { ...state, tasks: { ...state.tasks, ...Object.fromEntries(changed) } };
}

// Others may have them by now: whatever was done here is kept, and finished nowhere.
function withoutLost(deps: DispatchDeps, state: State, { lost }: Meeting): State {
  let tasks = state.tasks ?? {};
  for (const [key, why] of lost) {
    const { [key]: task, ...others } = tasks;
    if (!task) continue;
    const { agent, issueId } = task;
    const ref = refOf(task);
    try {
      const moved = deps.tasks.archive(task);
      const kept = moved ? `; its task is kept as ${moved.to}` : '';
      deps.log({
        name: 'LEASE LOST',
        message: `${agent}: ${ref} was taken away while this machine did not come, and ${why}${kept}`,
        facts: { ref, agent, reason: 'lease_lost' },
      });
      if (moved) {
        const at = toRfc3339(deps.now());
        deps.journal.appendArchived({ at, ref, issueId, agent, reason: 'lease_lost', ...moved });
      }
      tasks = others;
    } catch (error) {
      deps.log({
        name: 'WARNING',
        message: `the task of ${ref} is not ${agent}'s any more, and could not be archived: ${messageOf(error)}`,
      });
    }
  }
  return lost.size === 0 ? state : { ...state, tasks };
}

// As if they were this machine's own, by its clock: from here on a limit is looked at as it is where there is one machine.
function withWindows(state: State, windows: NonNullable<Meeting['windows']>, deps: DispatchDeps): State {
  const [now, uptime] = [deps.now(), deps.uptime()];
  const appearance = (ago: number): Appearance => ({
    at: toRfc3339(instantAgo(now, ago)),
    uptime: uptime && uptime.ms >= ago ? { ...uptime, ms: uptime.ms - ago } : null,
  });
  const all = windows.find(({ scope }) => scope === '');
  const own = windows
    .filter(({ scope }) => scope !== '')
    .map(({ scope, lastAgo }) => [scope, sameOr(state.lastOf?.[scope], appearance(lastAgo))]);
  const { lastDispatch } = state;
  return {
    ...state,
    lastDispatch: all
      ? { ...sameOr(lastDispatch ?? undefined, appearance(all.lastAgo)), ref: all.ref, pending: null }
      : null,
    ...(own.length > 0 || state.lastOf ? { lastOf: Object.fromEntries(own) } : {}),
  };
}

/** Two clocks tell of the same moment so differently, and what is the same need not be written again. */
const SAME_MS = 1000;

function sameOr(known: Appearance | undefined, told: Appearance): Appearance {
  const isSame = known && Math.abs((fromRfc3339(known.at) ?? 0) - (fromRfc3339(told.at) ?? 0)) < SAME_MS;
  return isSame ? { at: known.at, uptime: known.uptime } : told;
}

/** Earlier than this was nothing that a date can tell. */
const BEGINNING = fromRfc3339('1970-01-01T00:00:00Z') ?? 0;

function instantAgo(now: Instant, ago: number): Instant {
  return Math.max(BEGINNING, now - ago);
}

function throughMeeting(deps: DispatchDeps, meeting: Meeting, isHere: (agent: string) => boolean): DispatchDeps {
  const { elsewhere } = meeting;
  const others = [...elsewhere.values()];
  const open = (agent: string): number =>
    others.filter((task) => task.agent === agent && (task.stage === 'new' || task.stage === 'doing')).length;
  return {
    ...deps,
    config: withAgents(withLongestLimit(deps.config, meeting), meeting.agentsElsewhere),
    state: { ...deps.state, pauses: () => meeting.pauses },
    journal: {
      ...deps.journal,
      attempts: (issue) =>
        Math.max(
          deps.journal.attempts(issue),
          meeting.attempts.get(taskKey(issue.server, issue.issueId, issue.agent)) ?? 0,
        ),
    },
    tasks: {
      ...deps.tasks,
      trouble: (agent) => (isHere(agent) ? deps.tasks.trouble(agent) : null),
      existing: (candidate) => {
        const own = isHere(candidate.agent) ? deps.tasks.existing(candidate) : null;
        const stage = elsewhere.get(candidate.key)?.stage ?? 'gone';
        return own ?? (stage === 'gone' ? null : stage === 'done' ? 'done' : 'dispatched');
      },
      openTasks: (agent) => (isHere(agent) ? deps.tasks.openTasks(agent) : 0) + open(agent),
    },
  };
}

function withLongestLimit(config: Config, { longestLimitMs }: Meeting): Config {
  return longestLimitMs > config.rateLimitMs ? { ...config, rateLimitMs: longestLimitMs } : config;
}

// Whoever decides decides for the agents of all.
function withAgents(config: Config, elsewhere: Meeting['agentsElsewhere']): Config {
  if (config.agents === null || elsewhere === null) return { ...config, agents: null };
  const others = [...elsewhere].filter(([agent]) => !config.agents?.has(agent));
  if (others.length === 0) return config;
  return {
    ...config,
    agents: new Map([
      ...config.agents,
      ...others.map(([agent, { maxTasks }]) => [agent, { ...PLAIN_AGENT, maxTasks }] as const),
    ]),
    agentLabels: new Map([
      ...config.agentLabels,
      ...others.flatMap(([agent, { labels }]) => (labels ? [[agent, labels] as const] : [])),
    ]),
    rateLimits: {
      ...config.rateLimits,
      agents: new Map([
        ...config.rateLimits.agents,
        ...others.flatMap(([agent, { rateLimitMs }]) => (rateLimitMs === null ? [] : [[agent, rateLimitMs] as const])),
      ]),
    },
  };
}
