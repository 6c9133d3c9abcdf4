// A task goes to an agent of this machine: the store gives the slot and the task, and then the file appears, or neither counts.

import { ownLimits } from '../core/choice/own-limits.ts';
import { SLOT_PATIENCE_MS, untilSlot } from '../core/choice/slot.ts';
import { messageOf } from '../core/errors.ts';
import { refOf } from '../core/issue/issue.ts';
import type { Claim, Claimed } from '../core/store/store.ts';
import type { State } from '../core/state/state.ts';
import type { Draft } from '../io/tasks/draft.ts';
import type { DispatchDeps } from './pass-deps.ts';
import type { PreparedTask } from './prepare.ts';
import { type Published, publishTask } from './publish.ts';

interface Ready {
  readonly task: PreparedTask;
  readonly draft: Draft;
}

/**
 * Publishes a task, if the store lets it go to this machine. `remember` gets each state that holds from then on, also when a later
 * step throws.
 */
export async function handOver(
  deps: DispatchDeps,
  state: State,
  { task, draft }: Ready,
  remember: (state: State) => void,
): Promise<Published> {
  const ref = refOf(task.candidate.issue);
  let claimed: Claimed;
  try {
    claimed = await claimInTime(deps, claimFor(deps, task));
  } catch (error) {
    draft.discard();
    throw error;
  }
  if (claimed.kind === 'refused') {
    draft.discard();
    deps.log({ name: 'WAITING', message: `${ref} does not go to ${task.record.agent} now: ${claimed.why}` });
    return { kind: 'not' };
  }
  const { lease, mayAppear, appeared, withdrawn } = claimed;
  const held = lease === null ? task : { ...task, tracked: { ...task.tracked, lease } };
  let published: Published = { kind: 'not' };
  try {
    published = publishTask(deps, state, { task: held, draft, mayAppear }, remember);
  } finally {
    const isPublished = published.kind === 'published';
    // What cannot be told now the next pass finds out.
    await (isPublished ? appeared() : withdrawn()).catch((error: unknown) => {
      const what = isPublished ? 'was dispatched' : 'was not dispatched';
      deps.log({ name: 'WARNING', message: `the store could not be told that ${ref} ${what}: ${messageOf(error)}` });
    });
  }
  return published;
}

// What the others did since the meeting, and how two clocks differ, may have moved the slot by a moment.
async function claimInTime(deps: DispatchDeps, claim: Claim): Promise<Claimed> {
  const claimed = await deps.store.claim(claim);
  if (claimed.kind === 'granted' || claimed.opensIn === null || claimed.opensIn > SLOT_PATIENCE_MS) return claimed;
  await deps.sleep(untilSlot(claimed.opensIn, 0));
  return deps.isInterrupted() ? claimed : deps.store.claim(claim);
}

function claimFor({ config }: DispatchDeps, { candidate, record, tracked }: PreparedTask): Claim {
  const { key, agent, issue, priority } = candidate;
  const own = ownLimits(config, candidate).map(({ scope, ms }) => ({ scope, ms }));
  return {
    key,
    server: tracked.server,
    issueId: issue.id,
    repository: issue.repository,
    number: issue.number,
    agent,
    title: record.title,
    priority,
    file: record.file,
    attempts: record.attempt,
    limits: [{ scope: '', ms: config.rateLimitMs }, ...own],
    isForced: record.trigger === 'forced',
  };
}
