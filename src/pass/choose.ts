// From the state to a task that is ready to be published, or to the reason why there is none. Candidates are tried one after
// the other, each in a slice of the time; whatever becomes of one is written down, so that it is behind the others the next
// time. The pass and the dry run share this, so they cannot disagree.

import { type Answer, answered, placeTrouble, settled, type TurnKind } from '../core/choice/turns.ts';
import { heldBackBy, wasAsked } from '../core/choice/asking.ts';
import { decide, type Decision } from '../core/choice/choice.ts';
import { nextFreeSlot, SLOT_PATIENCE_MS } from '../core/choice/slot.ts';
import type { Instant } from '../core/clock.ts';
import { type Candidate, candidatesOf } from '../core/issue/candidate.ts';
import type { Facts, HeldBack } from '../core/issue/eligibility.ts';
import { messageOf } from '../core/errors.ts';
import { issueKeyOf, serverWith } from '../core/issue/identity.ts';
import { refOf } from '../core/issue/issue.ts';
import type { Pause } from '../core/state/pause.ts';
import { lastDispatchAt, lastOfScope, type State, withoutStaleTurns } from '../core/state/state.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import { listedIn, type Listing } from '../core/listing/listing.ts';
import type { DispatchDeps } from './pass-deps.ts';
import type { PreparedTask } from './prepare.ts';
import {
  answersIn,
  doOthersWait,
  letOthersPass,
  listedCandidates,
  noteOutage,
  type Others,
  type Search,
  withDeclined,
} from './search.ts';
import { isTimeLeft, sliceFor } from './slices.ts';
import { type Tried, tryCandidate } from './try-candidate.ts';
import { unusableFolders } from './unusable-folders.ts';

/** So many candidates that were never asked about have their turn in a pass, and so many in all; the rest in the next ones. */
const MOST_NEW = 8;
const MOST_ASKED = 16;
/** What is remembered of a candidate until it goes. */
const OF_ITSELF = ['read', 'hang', 'hold'] as const;

export interface Choice {
  readonly decision: Decision;
  readonly task: PreparedTask | null;
  /** What goes to an agent of another machine, now or as soon as its slot opens. */
  readonly offer: Candidate | null;
  /** The state with what was learnt about candidates. */
  readonly state: State;
  readonly warnings: readonly string[];
  /** Why nothing could be prepared although something was eligible, when no single issue is to blame. */
  readonly failure: unknown;
}

interface Manner {
  /** Prepare the next one although no slot is free. */
  readonly ignoreSlot: boolean;
  readonly pauses: readonly Pause[];
  /** Of whoever decides for several machines: the agents of others, and what these could not take. */
  readonly others: Others;
  /** What can still go wrong with a task that is rendered: its file. Throws when it does. */
  readonly draft: (task: PreparedTask) => void;
}

/** Decides what to dispatch, and prepares it. One that cannot be had is passed over, and the next one goes. */
export async function choose(
  deps: DispatchDeps,
  state: State,
  listing: Listing,
  { ignoreSlot, pauses, others, draft }: Manner,
): Promise<Choice> {
  const now = deps.now();
  const isOpen = listedIn(listing);
  const opensAt = nextFreeSlot(lastDispatchAt(state), deps.config.rateLimitMs, now);
  const mayAsk = ignoreSlot || opensAt - now <= SLOT_PATIENCE_MS;
  const candidates = candidatesOf(listing.issues, deps.config);
  const trouble = (agent: string): string | null => troubleOf(deps, state, agent);
  const search: Search = {
    listed: listedCandidates(candidates, listing, now),
    candidates,
    turns: state.turns,
    heldBack: withDeclined(heldBackBy(state.turns, candidates, { now, mayAsk, isOpen }), candidates, others),
    warnings: [...listing.warnings, ...unusableFolders(deps.config, candidates, trouble)],
    outages: new Map(),
    down: new Set(),
    silences: new Map(),
    answering: answersIn(listing),
    serverOf: ({ issue }) => serverWith(deps.config, issue.repository),
    failure: null,
    asked: 0,
    fresh: 0,
  };
  const facts = { ...factsOf(deps, { heldBack: search.heldBack, pauses }, state), trouble };
  const end = (came: Pick<Choice, 'decision' | 'task' | 'offer'>): Choice =>
    ended(search, { ...came, state, now: deps.now() });
  for (;;) {
    const decision = decide(search.candidates, facts, lastDispatchAt(state), deps.now());
    const isNextOffered = ignoreSlot || (decision.next !== null && others.isElsewhere(decision.next.agent));
    const target = decision.chosen ?? (isNextOffered ? decision.next : null);
    if (!target || isOver(deps, search)) return end({ decision, task: null, offer: null });
    const slice = sliceFor(deps.timeLeft(), search.asked, () => doOthersWait(search, decision, target));
    const isElsewhere = others.isElsewhere(target.agent);
    const tried: Tried = others.isStanding(target.key)
      ? { kind: 'elsewhere', candidate: target }
      : await tryCandidate(deps, target, { decision, facts, state, slice: slice.ms, isElsewhere, draft });
    if (tried.kind === 'ready' || tried.kind === 'elsewhere') {
      search.turns = settled(search.turns, OF_ITSELF, target.key);
      const [task, offer] = tried.kind === 'ready' ? [tried.task, null] : [null, tried.candidate];
      return end({ decision, task, offer });
    }
    const isNew = !wasAsked(state.turns, target.key);
    learn(search, { target, tried, isNew, isShort: slice.isShort, isOpen, now: deps.now() });
  }
}

/** Why nothing is to go to an agent, and how to mend it: its folder cannot be used, or a task could not be put there a moment ago. */
export function troubleOf(deps: DispatchDeps, { turns }: Pick<State, 'turns'>, agent: string): string | null {
  return deps.tasks.trouble(agent) ?? placeTrouble(turns, agent, deps.now());
}

function isOver(deps: DispatchDeps, { asked, fresh, down, answering, warnings }: Search): boolean {
  if (down.size >= answering || fresh >= MOST_NEW || asked >= MOST_ASKED) return true;
  if (isTimeLeft(deps.timeLeft(), asked)) return false;
  warnings.push('there was no time left to read what is next; the next pass goes on');
  return true;
}

interface Lesson {
  readonly target: Candidate;
  readonly tried: Exclude<Tried, { kind: 'ready' | 'elsewhere' }>;
  /** Whether it was never asked about before. */
  readonly isNew: boolean;
  /** Whether there is time for another server only when this one is not asked again. */
  readonly isShort: boolean;
  readonly isOpen: (ref: string) => boolean;
  readonly now: Instant;
}

// Whatever it is, it is written down: it must not be first again in the next pass.
function learn(search: Search, { target, tried, isNew, isShort, isOpen, now }: Lesson): void {
  const ofIssue = search.candidates.filter((candidate) => issueKeyOf(candidate) === issueKeyOf(target));
  const close = (closed: readonly Candidate[], why: HeldBack): void =>
    closed.forEach(({ key }) => search.heldBack.set(key, why));
  const record = (about: readonly Candidate[], kind: TurnKind, answer: Answer): void => {
    for (const { key } of about) search.turns = answered(search.turns, kind, key, answer, now);
  };
  if (tried.kind === 'failed' && tried.blame === 'agent') {
    const message = messageOf(tried.error);
    search.warnings.push(passedOver(target, message));
    search.failure ??= tried.error;
    const ofAgent = search.candidates.filter(({ agent }) => agent === target.agent);
    return close(ofAgent, { reason: 'failed', message });
  }
  search.asked += 1;
  search.fresh += isNew ? 1 : 0;
  switch (tried.kind) {
    case 'changed':
      search.candidates = search.candidates.map((each) => (each.key === target.key ? tried.now : each));
      return record([target], 'read', { kind: 'done' });
    case 'gone': {
      const about = tried.isIssue ? ofIssue : [target];
      search.candidates = search.candidates.filter((each) => !about.includes(each));
      const message = 'the list shows it, but read by itself it is not to be dispatched';
      return record(about, 'read', { kind: 'later', afterMs: RECHECK_GONE_MS, message });
    }
    case 'held': {
      const { reason, message, waitsFor } = tried.hold;
      const about = reason === 'blocked' ? ofIssue : [target];
      close(about, { reason, message });
      for (const { key } of about) search.turns = settled(search.turns, OF_ITSELF, key);
      const hold = { reason, updatedAt: target.issue.updatedAt, waitsFor: waitsFor.filter(isOpen) };
      return record(about, 'hold', { kind: 'later', afterMs: RECHECK_HOLD_MS, message, hold });
    }
    case 'failed': {
      const message = messageOf(tried.error);
      search.warnings.push(passedOver(target, message));
      close(ofIssue, { reason: 'failed', message });
      if (tried.isOutage) letOthersPass(search, target, { message, isShort });
      if (!tried.isOutage || !isNew) return record(ofIssue, 'read', { kind: 'failed', message });
      noteOutage(search, target, { about: ofIssue, message, error: tried.error });
    }
  }
}

const RECHECK_HOLD_MS = 5 * 60_000;
const RECHECK_GONE_MS = 60_000;

function ended(
  { listed, turns, outages, down, warnings, failure }: Search,
  {
    state,
    decision,
    task,
    offer,
    now,
  }: Pick<Choice, 'state' | 'decision' | 'task' | 'offer'> & { readonly now: Instant },
): Choice {
  // Of an outage that all share nobody is to blame, and nobody has to wait for long after it.
  const all = [...outages.values()].flatMap(({ about, message, server }) =>
    about.map(({ key }) => ({ key, message, isDown: down.has(server) })),
  );
  const known = all.reduce(
    (before, { key, message, isDown }) =>
      answered(
        before,
        'read',
        key,
        isDown ? { kind: 'later', afterMs: RECHECK_GONE_MS, message } : { kind: 'failed', message },
        now,
      ),
    turns,
  );
  return {
    decision,
    task,
    offer,
    state: withoutStaleTurns({ ...state, turns: known }, listed),
    warnings,
    failure: task || offer ? null : failure,
  };
}

function passedOver({ issue, agent }: Candidate, why: string): string {
  return `${refOf(issue)} for ${agent} is passed over: ${why}`;
}

/** What a decision needs to know besides the candidates. */
export function factsOf(
  deps: DispatchDeps,
  known: Pick<Facts, 'heldBack' | 'pauses'>,
  { tasks, lastOf }: Pick<State, 'tasks' | 'lastOf'>,
): Facts {
  const byKey = new Map(Object.entries(tasks ?? {}));
  const tracked = ({ key }: Candidate): TrackedTask | undefined => byKey.get(key);
  return {
    config: deps.config,
    // Under the name it was dispatched by, when its repository has another one since.
    existing: (candidate) => {
      const task = tracked(candidate);
      return deps.tasks.existing(candidate) ?? (task ? deps.tasks.whereIs(task) : null);
    },
    tracked,
    trouble: deps.tasks.trouble,
    openTasks: deps.tasks.openTasks,
    lastOf: lastOfScope({ lastOf }),
    ...known,
  };
}
