// The only place where a task appears.

import { type Instant, toRfc3339 } from '../core/clock.ts';
import { longestOwnLimit, ownLimits } from '../core/choice/own-limits.ts';
import { answered, settled } from '../core/choice/turns.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { isSingle } from '../core/config/patterns.ts';
import { exitCodeOf, hintOf, messageOf, UserError } from '../core/errors.ts';
import { dispatchMessage, type LogEvent } from '../core/health/log-event.ts';
import { type State, withAppearance } from '../core/state/state.ts';
import { MOST_REPEATS, repeatsOf } from '../core/task/tracked.ts';
import type { Draft } from '../io/tasks/draft.ts';
import type { DispatchDeps } from './pass-deps.ts';
import type { PreparedTask } from './prepare.ts';

/** What became of a task that was to be published. */
export type Published =
  | { readonly kind: 'published' }
  /** It came too late, or is not to go any more. */
  | { readonly kind: 'not' }
  /** Its file could not be put into the folder of its agent: whoever owns that may have changed it under our hands. */
  | { readonly kind: 'failed'; readonly error: UserError };

/**
 * Publishes a task: the slot is recorded before the file appears, so that being killed in between costs a minute and
 * never the limit. `remember` gets each state that holds from then on, also when a later step throws.
 */
export function publishTask(
  deps: DispatchDeps,
  state: State,
  { task, draft, mayAppear }: { readonly task: PreparedTask; readonly draft: Draft; readonly mayAppear: () => boolean },
  remember: (state: State) => void,
): Published {
  const { record, candidate, tracked } = task;
  const own = { scopes: ownLimits(deps.config, candidate).map(({ scope }) => scope), ms: longestOwnLimit(deps.config) };
  // As of the moment when it is asked for, not of when the slot was recorded: the window is between the appearances of two files.
  const taken = (base: State, pending: NonNullable<State['lastDispatch']>['pending']): State =>
    withAppearance(base, { at: toRfc3339(deps.now()), ref: record.ref, pending, uptime: deps.uptime() }, own);
  try {
    const slot = taken(state, { record, task: tracked });
    deps.state.write(slot);
    remember(slot);
  } catch (error) {
    draft.discard();
    throw error;
  }
  // Writing that down may have taken long, or this machine stood still.
  if (!mayAppear()) {
    draft.discard();
    remember(taken(state, null));
    deps.log({ name: 'WARNING', message: `${record.ref} came too late for its slot; another pass dispatches it` });
    return { kind: 'not' };
  }
  const outcome = placed(deps, draft, record);
  if (outcome.kind === 'failed') {
    remember(withPlaceFailed(taken(state, null), record.agent, outcome.error, deps.now()));
    return outcome;
  }
  if (outcome.kind === 'already-there') {
    remember(taken(state, null));
    deps.log({
      name: 'ALREADY THERE',
      message: `${record.file} has appeared meanwhile, and is kept as it is`,
    });
    return { kind: 'not' };
  }
  const out = withTask(state, candidate.key, tracked);
  remember(taken(out, { record, task: tracked }));
  if (outcome.archived) deps.log({ name: 'ARCHIVED', message: `the file before is kept as ${outcome.archived}` });
  if (journalled(deps, record)) remember(taken(out, null));
  const repeats = repeatsOf(tracked);
  if (repeats > 0) {
    const message = `${record.agent} had ${record.ref} before, and its file is gone; it is dispatched again (${repeats} of ${MOST_REPEATS})`;
    deps.log({ name: 'FILE GONE', message });
  }
  deps.log({
    name: 'DISPATCHED',
    message: dispatchMessage(candidate, isSingle(deps.config.repositories)),
    facts: factsOf(record),
  });
  return { kind: 'published' };
}

function placed(
  { tasks }: Pick<DispatchDeps, 'tasks'>,
  draft: Draft,
  record: DispatchRecord,
): ReturnType<Draft['publish']> | Extract<Published, { kind: 'failed' }> {
  try {
    return draft.publish(record.trigger === 'forced');
  } catch (error) {
    // What comes after the link may have failed: a file that is there is out.
    const isThere = tasks.published(record.file)?.dispatchedAt === record.at;
    return isThere ? { kind: 'published', archived: null } : { kind: 'failed', error: notPlaced(record, error) };
  }
}

// For people: what failed, and how to mend it.
function notPlaced({ ref, agent, file }: DispatchRecord, error: unknown): UserError {
  return new UserError(`${ref} could not be put into the folder of ${agent}: ${messageOf(error)}`, {
    exitCode: exitCodeOf(error),
    code: 'not_placed',
    hint:
      hintOf(error) ??
      `something changed the folder of ${file} while it was written: only ${agent} should write there, and leave alone what begins with a dot`,
    cause: error,
  });
}

// Its agent's next task waits for minutes: it cost a slot, and nobody else may wait for one who does that again and again.
function withPlaceFailed(state: State, agent: string, { message, hint }: UserError, now: Instant): State {
  const failed = { kind: 'failed', message: `it waits for some minutes; ${message}: ${hint}` } as const;
  return { ...state, turns: answered(state.turns, 'place', agent, failed, now) };
}

function factsOf({ lifted, ...record }: DispatchRecord): NonNullable<LogEvent['facts']> {
  const known = Object.entries(record).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
  );
  return { ...Object.fromEntries(known), lifted: lifted.join('; ') };
}

/** The state with a task that is out: what was asked about its candidate, or about its file before, is of the past. */
export function withTask(state: State, key: string, task: PreparedTask['tracked']): State {
  const kinds = ['read', 'hang', 'hold', 'archive', 'news', 'blocker', 'receipt', 'hook'] as const;
  const turns = settled(settled(state.turns, kinds, key), ['place'], task.agent);
  return { ...state, turns, tasks: { ...state.tasks, [key]: task } };
}

// The task is out: a journal that cannot be written does not undo it. The next pass finds the record and completes it.
function journalled(deps: DispatchDeps, record: DispatchRecord): boolean {
  try {
    deps.journal.append(record);
    return true;
  } catch (error) {
    deps.log({
      name: 'WARNING',
      message: `the journal cannot be written, the next pass tries again: ${messageOf(error)}`,
    });
    return false;
  }
}
