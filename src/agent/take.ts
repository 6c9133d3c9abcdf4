// The most urgent task that may be taken, taken.

import { shortDuration, toRfc3339 } from '../core/clock.ts';
import { type Claim, type ProcessId, type Stall, stallOf, type Taken, takerText } from '../core/mailbox/claim.ts';
import type { Stage } from '../core/mailbox/place.ts';
import type { Sighting } from '../core/mailbox/urgency.ts';
import { afterAttempt, isDue, type WorkEvent, type WorkRecord } from '../core/mailbox/work-record.ts';
import type { AgentDeps } from './agent-deps.ts';

/** Which tasks may be taken besides the new ones: none, those whose taker is gone for certain, all that are stalled. */
export type Reach = 'new' | 'gone' | 'stalled';

interface Wish {
  readonly reach: Reach;
  /** The process that the claim lives as long as; null: nobody knows. */
  readonly holder: ProcessId | null;
  /** A task that was lost in so many runs is blocked instead of being taken once more. */
  readonly blocksLost: boolean;
}

/** A task that is ours now. */
export interface TakenTask {
  readonly task: Sighting;
  readonly claim: Claim;
  /** Names the claim beside the task. */
  readonly word: string;
  /** How the work on it went before. */
  readonly work: WorkRecord;
}

/** What was found instead of a task. */
export interface Nothing {
  /** How many new tasks are not offered yet: a run on them failed. */
  readonly waiting: number;
  /** Task files that this user may not read, by their paths below the mailbox. */
  readonly unreadable: readonly string[];
}

/** Takes the most urgent task. Of all who try at once, each gets another one. */
export function takeNext(deps: AgentDeps, wish: Wish): TakenTask | Nothing {
  let waiting = 0;
  const { answered, unreadable } = deps.mailbox.offer(stagesOf(wish.reach), (task) => {
    const found = task.stage === 'doing' ? takeStalled(deps, task, wish) : takeNew(deps, task, wish);
    if (found !== 'waiting') return found;
    waiting += 1;
    return null;
  });
  return answered ?? { waiting, unreadable };
}

/** The one that `takeNext` would take; nothing is moved. */
export function peekNext(deps: AgentDeps, reach: Reach): Sighting | Nothing {
  const now = deps.now();
  let waiting = 0;
  const { answered, unreadable } = deps.mailbox.offer(stagesOf(reach), (task) => {
    if (task.stage === 'doing') {
      const taken = deps.mailbox.takersOf(task);
      return taken && isWithin(reach, stallOfTask(deps, taken)) ? task : null;
    }
    if (isDue(deps.mailbox.workOf(task), now)) return task;
    waiting += 1;
    return null;
  });
  return answered ?? { waiting, unreadable };
}

/** Why a taken task is stalled; null: it is not. */
export function stallOfTask(deps: AgentDeps, { claims, movedAt }: Taken): Stall | null {
  return stallOf(claims, movedAt, { processes: deps.processes, now: deps.now(), stalledAfterMs: deps.stalledAfterMs });
}

function stagesOf(reach: Reach): readonly Stage[] {
  return reach === 'new' ? ['new'] : ['new', 'doing'];
}

function takeNew(deps: AgentDeps, task: Sighting, { holder }: Wish): TakenTask | 'waiting' | null {
  const now = deps.now();
  if (!isDue(deps.mailbox.workOf(task), now)) return 'waiting';
  const claim = newClaim(deps, holder);
  const word = deps.randomWord();
  if (deps.mailbox.take(task, claim, word) !== 'moved') return null;
  const taken = deps.mailbox.whereIs(task.home);
  // Somebody may have moved it by hand at this very moment.
  if (taken?.stage !== 'doing') return null;
  return { task: taken, claim, word, work: deps.mailbox.workOf(taken) };
}

function takeStalled(deps: AgentDeps, task: Sighting, { reach, holder, blocksLost }: Wish): TakenTask | null {
  const before = deps.mailbox.takersOf(task);
  if (before === null || !isWithin(reach, stallOfTask(deps, before))) return null;
  const claim = newClaim(deps, holder);
  const word = deps.randomWord();
  const mayBeTaken = (taken: Taken): boolean => isWithin(reach, stallOfTask(deps, taken));
  if (deps.mailbox.takeOver(task, claim, word, mayBeTaken) !== 'moved') return null;
  const work = deps.mailbox.workOf(task);
  const lost = afterAttempt(work, lostEvent(deps, before), { now: deps.now(), most: deps.attempts });
  const isOver = lost.isFinal && blocksLost;
  const handedBack = deps.mailbox.handBack(task, isOver ? 'blocked' : 'doing', lost.record, word);
  return isOver || handedBack !== 'moved' ? null : { task, claim, word, work: lost.record };
}

function isWithin(reach: Reach, stall: Stall | null): boolean {
  return stall !== null && (reach === 'stalled' || (reach === 'gone' && stall === 'gone'));
}

function lostEvent(deps: AgentDeps, { claims, movedAt }: Taken): WorkEvent {
  const who = claims.map((claim) => takerText(claim)).join('; ') || 'somebody who left no name';
  return {
    at: toRfc3339(deps.now()),
    by: deps.user,
    outcome: 'gone',
    reason: `it was taken ${shortDuration(deps.now() - movedAt)} ago by ${who}, and never handed back`,
    pullRequest: null,
    note: null,
  };
}

function newClaim(deps: AgentDeps, holder: ProcessId | null): Claim {
  return { at: toRfc3339(deps.now()), user: deps.user, machine: deps.processes.machine, holder, group: null };
}
