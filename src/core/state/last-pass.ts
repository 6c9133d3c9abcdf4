// How the last pass went and what it decided: for `status`, `explain`, the page and monitors. A pass needs none of it to
// decide, so nothing is lost with it but a look back.

import * as z from 'zod/mini';
import type { DecisionRecord } from './decision-record.ts';
import { instantText, type State } from './state.ts';

const ErrorSchema = z.object({ code: z.string(), message: z.string(), hint: z.nullable(z.string()) });
const PassSchema = z.object({
  startedAt: instantText,
  finishedAt: instantText,
  outcome: z.enum(['dispatched', 'idle', 'failed']),
  ref: z.nullable(z.string()),
  error: z.nullable(ErrorSchema),
  warnings: z.array(z.string()),
});

const AwaySchema = z.object({ server: z.string(), since: instantText, error: ErrorSchema });

/** The heartbeat: written by every pass, and small whatever is open. */
export const HeartbeatSchema = z.object({
  version: z.literal(1),
  lastPass: PassSchema,
  lastSuccessAt: z.nullable(instantText),
  consecutiveFailures: z.int(),
  failingSince: z.nullable(instantText),
  /** When the last task file appeared: for those who may not read the state. */
  lastDispatchAt: z.optional(z.nullable(instantText)),
  /** A hash of the decision's record: as long as it is the same it need not be written again. */
  rows: z.string(),
  /** Assignees that are no agents, as they were named in the log. */
  strangers: z.array(z.string()),
  /** Of several servers those that did not answer. */
  away: z.optional(z.array(AwaySchema)),
  /** What a pass that had nothing to do looked at: where that is the same again, so is all that follows. Null: it had. */
  basis: z._default(z.nullable(z.object({ print: z.string(), agents: z.array(z.string()) })), null),
});
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

/** A server that does not answer while others do. */
export type AwayServer = z.infer<typeof AwaySchema>;

/** A pass with what it decided. */
export type PassRecord = z.infer<typeof PassSchema> & DecisionRecord;

/** What is known of the passes so far, as those who look at it get it. */
export interface PassHistory
  extends Pick<State, 'lastDispatch'>, Pick<Heartbeat, 'lastSuccessAt' | 'consecutiveFailures' | 'failingSince'> {
  /** Null: none has run yet. */
  readonly lastPass: PassRecord | null;
  /** Of several servers those that did not answer. */
  readonly away?: readonly AwayServer[];
}

/** No pass has run, or nobody knows of one. */
export const NO_PASSES: PassHistory = {
  lastDispatch: null,
  lastPass: null,
  lastSuccessAt: null,
  consecutiveFailures: 0,
  failingSince: null,
};

/** The heartbeat after a pass. `before` null: none is known. */
export function nextHeartbeat(
  before: Heartbeat | null,
  lastPass: Heartbeat['lastPass'],
  { away, ...known }: Pick<Heartbeat, 'rows' | 'strangers' | 'lastDispatchAt' | 'away' | 'basis'>,
): Heartbeat {
  const failed = lastPass.outcome === 'failed';
  return {
    version: 1,
    lastPass,
    lastSuccessAt: failed ? (before?.lastSuccessAt ?? null) : lastPass.finishedAt,
    consecutiveFailures: failed ? (before?.consecutiveFailures ?? 0) + 1 : 0,
    failingSince: failed ? (before?.failingSince ?? lastPass.startedAt) : null,
    lastDispatchAt: known.lastDispatchAt,
    rows: known.rows,
    strangers: known.strangers,
    ...(away && away.length > 0 ? { away } : {}),
    basis: known.basis,
  };
}
