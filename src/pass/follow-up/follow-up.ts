// What a pass does for the tasks that are out: to archive those that are over, to tell news, to leave receipts. One loop, a
// few in each pass, the one that was asked least recently first. Whatever becomes of one is written down.

import { type Answer, answered, byTurn, isDue, type TurnKind } from '../../core/choice/turns.ts';
import { messageOf } from '../../core/errors.ts';
import { serverOf } from '../../core/issue/identity.ts';
import { refOf } from '../../core/issue/issue.ts';
import type { State } from '../../core/state/state.ts';
import type { TrackedTask } from '../../core/task/tracked.ts';
import type { Listing } from '../../core/listing/listing.ts';
import type { DispatchDeps, GiteaSlice } from '../pass-deps.ts';
import { archiving } from './archive.ts';
import { blockers } from './blockers.ts';
import { news } from './news.ts';
import { withProgress } from './progress.ts';
import { receipts } from './receipts.ts';

/** So many are done in a pass. */
const MOST = 6;
/** The longest that one may take. Milliseconds. */
const SLICE_MS = 10_000;
const SHORTEST_SLICE_MS = 1000;

/** What may have to be done for a task that is out. */
export interface FollowUp {
  readonly kind: TurnKind;
  /** The keys of the tasks for which it may have to be done, by what is known without asking. */
  readonly subjects: (deps: DispatchDeps, state: State, listing: Listing) => Subjects;
  /** Does it for one. What it throws is a failure of this one alone. */
  readonly act: (deps: DispatchDeps, subject: Subject) => Promise<Result>;
  /** What is said when it fails. */
  readonly complaint: (ref: string, why: string) => string;
}

export interface Subjects {
  readonly keys: readonly string[];
  /** What else is to be remembered, and said. */
  readonly state?: Partial<State>;
  readonly warnings?: readonly string[];
}

export interface Subject {
  readonly key: string;
  readonly task: TrackedTask;
  readonly listing: Listing;
  readonly gitea: GiteaSlice;
}

export interface Result {
  /** What is remembered of it from now on; null: nothing, it is over. */
  readonly task: TrackedTask | null;
  readonly answer: Answer;
}

/** Of those that were never asked in this order: a receipt is to tell of a finished task before that is archived. */
const FOLLOW_UPS: readonly FollowUp[] = [receipts, archiving, news, blockers];

/** Does what is due. Answers the state as it is then, and what should be said of it. */
export async function followUp(
  deps: DispatchDeps,
  before: State,
  listing: Listing,
  kinds: readonly FollowUp[] = FOLLOW_UPS,
): Promise<{ readonly state: State; readonly warnings: readonly string[] }> {
  const now = deps.now();
  const initial = withProgress(deps, before);
  const found = kinds.map(({ kind, subjects }) => ({ kind, ...subjects(deps, initial, listing) }));
  const isAsked = answering(deps, listing);
  const warnings = found.flatMap((each) => each.warnings ?? []);
  const due = found.flatMap(({ kind, keys }) =>
    keys
      .filter((key) => isAsked(initial.tasks?.[key]) && isDue(initial.turns, kind, key, now))
      .map((key): [TurnKind, string] => [kind, key]),
  );
  let state: State = Object.assign({ ...initial }, ...found.map((each) => each.state));
  for (const [kind, key] of due.toSorted(byTurn(state.turns, now)).slice(0, MOST)) {
    if (deps.isInterrupted() || deps.timeLeft() < SHORTEST_SLICE_MS) break;
    const doing = kinds.find((each) => each.kind === kind);
    const done = doing && (await acted(deps, state, { doing, key, listing }));
    if (done?.warning) warnings.push(done.warning);
    state = done?.state ?? state;
  }
  return { state, warnings };
}

// A server that did not answer a moment ago is not asked again for each of its tasks, and one that is not configured never.
function answering({ config }: DispatchDeps, { answers = [] }: Listing): (task: TrackedTask | undefined) => boolean {
  const away = new Set(answers.flatMap(({ server, error }) => (error === null ? [] : [server])));
  const asked = config.servers.filter(({ name }) => name === null || !away.has(name));
  const known = new Set(asked.map(({ url }) => serverOf(url)));
  return (task) => task !== undefined && known.has(task.server);
}

async function acted(
  deps: DispatchDeps,
  state: State,
  { doing, key, listing }: { readonly doing: FollowUp; readonly key: string; readonly listing: Listing },
): Promise<{ readonly state: State; readonly warning: string | null }> {
  const task = state.tasks?.[key];
  // Archived a moment ago.
  if (!task) return { state, warning: null };
  const gitea = deps.gitea(Math.min(SLICE_MS, deps.timeLeft()));
  let result: Result;
  try {
    result = await doing.act(deps, { key, task, listing, gitea });
  } catch (error) {
    // Asked again in the next pass: it is not its fault.
    if (deps.isInterrupted()) return { state, warning: null };
    result = { task, answer: { kind: 'failed', message: messageOf(error) } };
  }
  const { [key]: _before, ...others } = state.tasks ?? {};
  return {
    state: {
      ...state,
      tasks: result.task ? { ...others, [key]: result.task } : others,
      turns: answered(state.turns, doing.kind, key, result.answer, deps.now()),
    },
    warning: result.answer.kind === 'failed' ? doing.complaint(refOf(task), result.answer.message) : null,
  };
}
