import type { Taken } from './claim.ts';
import type { Stage } from './place.ts';
import { cameBy, type WorkRecord } from './work-record.ts';

/** How far its agent is with a task, and what it said when it handed it back. */
export interface Progress {
  readonly stage: Stage;
  /** When it was taken or handed back; null: nobody wrote that down. */
  readonly at: string | null;
  readonly reason: string | null;
  readonly pullRequest: string | null;
}

/** The progress of a task in a stage, by what lies beside it. `taken`: null for one that nobody has. */
export function progressOf(stage: Stage, work: WorkRecord, taken: Taken | null): Progress {
  const by = cameBy(work, stage);
  const takenAt = (taken?.claims ?? []).map(({ at }) => at).toSorted();
  return {
    stage,
    at: stage === 'doing' ? (takenAt.at(-1) ?? null) : (by?.at ?? null),
    reason: stage === 'blocked' ? (by?.reason ?? null) : null,
    pullRequest: stage === 'done' ? (by?.pullRequest ?? null) : null,
  };
}
