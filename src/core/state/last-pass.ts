// How the last pass went and what it decided: for `status`, `explain`, the page and monitors. A pass needs none of it to
// decide, so nothing is lost with it but a look back.

import * as z from 'zod/mini';
import type { Decision, Row } from '../choice/choice.ts';
import { type Instant, toRfc3339 } from '../clock.ts';
import { refOf } from '../issue/issue.ts';
import { PRIORITIES } from '../issue/priority.ts';
import { cleanLine } from '../task/untrusted.ts';
import { instantText, type State } from './state.ts';

const ErrorSchema = z.object({ code: z.string(), message: z.string(), hint: z.nullable(z.string()) });
const RowSchema = z.object({
  key: z.string(),
  ref: z.string(),
  issue: z.int(),
  repository: z.string(),
  title: z.string(),
  agent: z.string(),
  priority: z.enum(PRIORITIES),
  prioritySource: z.string(),
  outcome: z.enum(['chosen', 'next', 'waiting', 'skipped']),
  reason: z.nullable(z.string()),
  detail: z.nullable(z.string()),
  file: z.nullable(z.string()),
  createdAt: instantText,
  /** Since when its outcome and reason are these. */
  since: z.optional(instantText),
});
export type RowRecord = z.infer<typeof RowSchema>;

/** The rows of the last decision, most urgent first: a file of its own, written when they are other ones. */
export const RowsSchema = z.array(RowSchema);

const PassSchema = z.object({
  startedAt: instantText,
  finishedAt: instantText,
  outcome: z.enum(['dispatched', 'idle', 'failed']),
  ref: z.nullable(z.string()),
  error: z.nullable(ErrorSchema),
  warnings: z.array(z.string()),
});

/** The heartbeat: written by every pass, and small whatever is open. */
export const HeartbeatSchema = z.object({
  version: z.literal(1),
  lastPass: PassSchema,
  lastSuccessAt: z.nullable(instantText),
  consecutiveFailures: z.int(),
  failingSince: z.nullable(instantText),
  /** A hash of what the rows were made of: as long as it is the same they need not be written again. */
  rows: z.string(),
  /** Assignees that are no agents, as they were named in the log. */
  strangers: z.array(z.string()),
});
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

/** A pass with the rows of its decision. */
export type PassRecord = z.infer<typeof PassSchema> & { readonly rows: readonly RowRecord[] };

/** What is known of the passes so far, as those who look at it get it. */
export interface PassHistory
  extends Pick<State, 'lastDispatch'>, Pick<Heartbeat, 'lastSuccessAt' | 'consecutiveFailures' | 'failingSince'> {
  /** Null: none has run yet. */
  readonly lastPass: PassRecord | null;
}

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
  { rows, strangers }: Pick<Heartbeat, 'rows' | 'strangers'>,
): Heartbeat {
  const failed = lastPass.outcome === 'failed';
  return {
    version: 1,
    lastPass,
    lastSuccessAt: failed ? (before?.lastSuccessAt ?? null) : lastPass.finishedAt,
    consecutiveFailures: failed ? (before?.consecutiveFailures ?? 0) + 1 : 0,
    failingSince: failed ? (before?.failingSince ?? lastPass.startedAt) : null,
    rows,
    strangers,
  };
}

/** A text that is another one when the rows of a decision are. Cheap: it is made in every pass. */
export function rowsText({ rows }: Decision): string {
  return rows
    .map(({ candidate, outcome }) => {
      const why = outcome.kind === 'skipped' ? `${outcome.reason} ${outcome.detail}` : '';
      return `${candidate.key} ${candidate.priority} ${candidate.issue.updatedAt} ${outcome.kind} ${why}`;
    })
    .join('\n');
}

/** The decision's rows as they are kept. Texts are cleaned. `before`: the ones that are there, which know since when. */
export function rowRecords(
  decision: Decision,
  fileOf: (row: Row) => string | null,
  before: readonly RowRecord[],
  now: Instant,
): RowRecord[] {
  const known = new Map(before.map((row) => [row.key, row]));
  return decision.rows.map((row) => {
    const { candidate, outcome } = row;
    const last = known.get(candidate.key);
    const skipped = outcome.kind === 'skipped' ? outcome : null;
    const isSame = last?.outcome === outcome.kind && last.reason === (skipped?.reason ?? null);
    return {
      key: candidate.key,
      ref: refOf(candidate.issue),
      issue: candidate.issue.number,
      repository: candidate.issue.repository,
      title: cleanLine(candidate.issue.title),
      agent: cleanLine(candidate.agent),
      priority: candidate.priority,
      prioritySource: cleanLine(candidate.source),
      outcome: outcome.kind,
      reason: skipped?.reason ?? null,
      detail: skipped ? cleanLine(skipped.detail) : null,
      file: fileOf(row),
      createdAt: toRfc3339(candidate.issue.createdAt),
      since: (isSame ? last.since : undefined) ?? toRfc3339(now),
    };
  });
}
