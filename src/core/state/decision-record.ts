// What the last pass decided, for those who look at it: the first rows of each agent, and of all others how many there are.
// A file that held every row would be written anew by each dispatch, and read by each look at the status.

import * as z from 'zod/mini';
import type { Decision, Row } from '../choice/choice.ts';
import { type Instant, toRfc3339 } from '../clock.ts';
import { refOf } from '../issue/issue.ts';
import { PRIORITIES } from '../issue/priority.ts';
import { cleanLine } from '../task/untrusted.ts';
import { instantText } from './state.ts';

const outcome = z.enum(['chosen', 'next', 'waiting', 'skipped']);

const RowSchema = z.object({
  key: z.string(),
  ref: z.string(),
  issue: z.int(),
  repository: z.string(),
  title: z.string(),
  agent: z.string(),
  priority: z.enum(PRIORITIES),
  prioritySource: z.string(),
  outcome,
  reason: z.nullable(z.string()),
  detail: z.nullable(z.string()),
  file: z.nullable(z.string()),
  createdAt: instantText,
  /** Since when its outcome and reason are these. */
  since: z.optional(instantText),
});
export type RowRecord = z.infer<typeof RowSchema>;

/** Candidates of one agent that are no rows, and came to the same. */
const RestSchema = z.object({
  agent: z.string(),
  priority: z.enum(PRIORITIES),
  outcome,
  reason: z.nullable(z.string()),
  count: z.int().check(z.positive()),
  /** The one of them that was opened first. */
  oldest: z.object({ ref: z.string(), createdAt: instantText }),
});
export type RestRecord = z.infer<typeof RestSchema>;

const RecordSchema = z.object({ rows: z.array(RowSchema), rest: z.array(RestSchema) });
/** Rows most urgent first, and how many are left out. */
export type DecisionRecord = z.infer<typeof RecordSchema>;

/** Nothing was decided, or nobody knows what. */
export const NO_DECISION: DecisionRecord = { rows: [], rest: [] };

/** All rows in a list: how versions before this one wrote them. */
export const RowsSchema = z.array(RowSchema);

/** Reads a record; undefined when it is none. */
export function parseDecision(raw: unknown): DecisionRecord | undefined {
  const result = RecordSchema.safeParse(Array.isArray(raw) ? { rows: raw, rest: [] } : raw);
  return result.success ? result.data : undefined;
}

/** So many rows of an agent are kept, so many of them that were passed over for one reason, and so many in all. */
const MOST_OF_AGENT = 200;
const MOST_OF_REASON = 50;
const MOST = 2000;

/** A decision as it is kept, without since when. Texts are cleaned. */
export function decisionRecord({ rows }: Decision, fileOf: (row: Row) => string | null): DecisionRecord {
  const kept: RowRecord[] = [];
  const rest = new Map<string, RestRecord>();
  const counts = new Map<string, number>();
  const isMore = (group: string, most: number): boolean => (counts.get(group) ?? 0) >= most;
  const count = (group: string): void => void counts.set(group, (counts.get(group) ?? 0) + 1);
  for (const row of rows) {
    const { candidate, outcome: came } = row;
    const reason = came.kind === 'skipped' ? came.reason : null;
    const group = `${candidate.agent}\n${reason}`;
    if (kept.length >= MOST || isMore(candidate.agent, MOST_OF_AGENT) || (reason && isMore(group, MOST_OF_REASON))) {
      addTo(rest, row, reason);
      continue;
    }
    count(candidate.agent);
    if (reason) count(group);
    kept.push(rowRecord(row, fileOf(row)));
  }
  return { rows: kept, rest: [...rest.values()] };
}

/** The same with since when. `before`: the rows that are there, which know. */
export function withSince(record: DecisionRecord, before: DecisionRecord, now: Instant): DecisionRecord {
  const known = new Map(before.rows.map((row) => [row.key, row]));
  const rows = record.rows.map((row) => {
    const last = known.get(row.key);
    const isSame = last?.outcome === row.outcome && last.reason === row.reason;
    return { ...row, since: (isSame ? last.since : undefined) ?? toRfc3339(now) };
  });
  return { rows, rest: record.rest };
}

/** How many candidates a record tells of. */
export function candidatesIn({ rows, rest }: DecisionRecord): number {
  return rest.reduce((sum, { count }) => sum + count, rows.length);
}

function rowRecord({ candidate, outcome: came }: Row, file: string | null): RowRecord {
  const skipped = came.kind === 'skipped' ? came : null;
  return {
    key: candidate.key,
    ref: refOf(candidate.issue),
    issue: candidate.issue.number,
    repository: candidate.issue.repository,
    title: cleanLine(candidate.issue.title),
    agent: cleanLine(candidate.agent),
    priority: candidate.priority,
    prioritySource: cleanLine(candidate.source),
    outcome: came.kind,
    reason: skipped?.reason ?? null,
    detail: skipped ? cleanLine(skipped.detail) : null,
    file,
    createdAt: toRfc3339(candidate.issue.createdAt),
  };
}

function addTo(rest: Map<string, RestRecord>, { candidate, outcome: came }: Row, reason: string | null): void {
  const { agent, issue, priority } = candidate;
  const group = `${agent}\n${priority} ${came.kind} ${reason}`;
  const known = rest.get(group);
  if (known) {
    // Most urgent first, and then oldest: of one priority the first one is the oldest.
    known.count += 1;
    return;
  }
  const oldest = { ref: refOf(issue), createdAt: toRfc3339(issue.createdAt) };
  rest.set(group, { agent: cleanLine(agent), priority, outcome: came.kind, reason, count: 1, oldest });
}
