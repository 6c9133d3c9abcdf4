import type { Candidate } from './candidate.ts';
import { closedLimit, type LastOf } from '../choice/own-limits.ts';
import type { Instant } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { plainLabel } from '../config/instructions.ts';
import { type Pause, pauseOf, pauseText } from '../state/pause.ts';
import { isSafeFolderName } from '../task/file-name.ts';
import { MOST_REPEATS, repeatsOf, type TrackedTask } from '../task/tracked.ts';

/** Why a candidate is passed over. The same words stand in state, JSON, log and documentation. */
export type SkipReason =
  | 'unknown_agent'
  | 'unsafe_name'
  | 'folder_unusable'
  | 'done'
  | 'dispatched'
  | 'paused'
  | 'held'
  | 'blocked'
  | 'failed'
  | 'agent_busy'
  | 'rate_limited'
  | 'not_for_agent';

/** Something that keeps a candidate from being dispatched, in plain words. */
export interface Gate {
  readonly reason: SkipReason;
  readonly detail: string;
}

/** What an earlier look at a candidate found, until it is looked at again. */
export interface HeldBack {
  readonly reason: 'failed' | 'blocked' | 'held';
  readonly message: string;
}

/** What a decision looks at besides the candidates: files on disk, and what the state remembers. */
export interface Facts {
  readonly config: Pick<Config, 'agents' | 'agentLabels' | 'holdLabels' | 'rateLimitMs' | 'rateLimits' | 'trust'>;
  /** Why nothing can be said of an agent's task files, and none be written; null: it can. */
  readonly trouble: (agent: string) => string | null;
  /** Where the candidate's task file is already. */
  readonly existing: (candidate: Candidate) => 'dispatched' | 'done' | null;
  /** What is remembered of the candidate's earlier dispatches. */
  readonly tracked: (candidate: Candidate) => TrackedTask | undefined;
  /** Task files of an agent that are neither done nor archived. */
  readonly openTasks: (agent: string) => number;
  /** When the last task file appeared of an agent or a repository that has a limit of its own. */
  readonly lastOf: LastOf;
  /** Candidates that failed, or that only the server can release, by their key. */
  readonly heldBack: ReadonlyMap<string, HeldBack>;
  readonly pauses: readonly Pause[];
}

/** Every closed gate in front of a candidate, the weightiest first; none: it is eligible. */
export function closedGates(candidate: Candidate, facts: Facts, now: Instant): readonly Gate[] {
  return [...gatesOf(candidate, facts, now)];
}

/** The weightiest of them; undefined: it is eligible. The others are not looked for. */
export function firstClosedGate(candidate: Candidate, facts: Facts, now: Instant): Gate | undefined {
  const [first] = gatesOf(candidate, facts, now);
  return first;
}

function* gatesOf(candidate: Candidate, facts: Facts, now: Instant): Generator<Gate, void> {
  const { agent, issue } = candidate;
  const settings = facts.config.agents?.get(agent);

  if (facts.config.agents && !settings) yield gate('unknown_agent', `${agent} is not among the configured agents`);
  if (!isSafeFolderName(agent)) {
    yield gate('unsafe_name', 'the login cannot be a folder name');
    return; // its files cannot be looked for
  }

  const trouble = facts.trouble(agent);
  if (trouble !== null) {
    yield gate('folder_unusable', trouble);
    return; // nor can they here
  }

  const existing = facts.existing(candidate);
  if (existing === 'done') yield gate('done', `${agent} has moved its task file to done/`);
  if (existing === 'dispatched') yield gate('dispatched', `${agent} has its task file`);

  const pause = pauseOf(facts.pauses, agent, now);
  if (pause) yield gate('paused', pauseText(pause));

  const label = issue.labels.find((name) => facts.config.holdLabels.includes(plainLabel(name)));
  if (label !== undefined) yield gate('held', `label ${label}`);

  const taken = facts.config.agentLabels.get(agent);
  if (taken && !issue.labels.some((name) => taken.includes(plainLabel(name)))) {
    yield gate('not_for_agent', `${agent} takes only issues with a label of its own: ${taken.join(', ')}`);
  }
  const { authors } = facts.config.trust;
  if (authors && !authors.includes(issue.author.toLowerCase())) {
    yield gate('held', `its author ${issue.author} is not among trust.authors`);
  }
  const tracked = facts.tracked(candidate);
  if (existing === null && repeatsOf(tracked) >= MOST_REPEATS) {
    yield gate('held', `its file was deleted again and again; after ${MOST_REPEATS} repetitions only --force sends it`);
  }

  const heldBack = facts.heldBack.get(candidate.key);
  if (heldBack) yield gate(heldBack.reason, heldBack.message);

  const cap = settings?.maxTasks ?? null;
  const open = cap === null ? 0 : facts.openTasks(agent);
  if (cap !== null && open >= cap) yield gate('agent_busy', `${agent} has ${open} of at most ${cap} tasks`);

  const limit = closedLimit(facts.config, candidate, facts.lastOf, now);
  if (limit !== undefined) yield gate('rate_limited', limit);
}

function gate(reason: SkipReason, detail: string): Gate {
  return { reason, detail };
}
