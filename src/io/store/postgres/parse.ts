// What stands in the tables was written by other machines, perhaps of another version: read, not believed.

import * as z from 'zod/mini';
import { type Whereabouts, WHEREABOUTS } from '../../../core/mailbox/place.ts';
import type { AgentTerms } from '../../../core/store/store.ts';
import type { StoredTask } from '../../../core/store/reconcile.ts';
import type { Row } from './connection.ts';

const PlaceSchema = z.enum(WHEREABOUTS);

const TaskSchema = z.object({
  key: z.string(),
  state: z.enum(['held', 'offered', 'free']),
  host: z.nullable(z.string()),
  attempt: z.int(),
  stage: z.nullable(PlaceSchema),
});

const TermsSchema = z.record(
  z.string(),
  z.object({
    maxTasks: z.nullable(z.int()),
    labels: z.nullable(z.array(z.string())),
    rateLimitMs: z.nullable(z.number()),
    isUnusable: z.optional(z.boolean()),
  }),
);

const IssueSchema = z.object({
  id: z.int(),
  repository: z.string(),
  number: z.int(),
  title: z.string(),
  labels: z.array(z.string()),
  author: z.string(),
  assignees: z.array(z.string()),
  createdAt: z.number(),
  updatedAt: z.number(),
});

/** A row of `task`; none when it is not one. */
export function tasksIn(rows: readonly Row[]): readonly StoredTask[] {
  return rows.flatMap((row) => TaskSchema.safeParse(row).data ?? []);
}

/** The agents of a row of `host`. Null: every assignee is one. None that this version can read: nothing is offered to that machine. */
export function termsIn(row: Row): Readonly<Record<string, AgentTerms>> | null {
  return row['agents'] === null ? null : (TermsSchema.safeParse(row['agents']).data ?? {});
}

/** The issue that is offered; undefined when it is none. */
export function issueIn(row: Row): z.infer<typeof IssueSchema> | undefined {
  return IssueSchema.safeParse(row['issue']).data;
}

/** How far a task is; `new` when nobody says. */
export function stageIn(row: Row): Whereabouts {
  return PlaceSchema.safeParse(row['stage']).data ?? 'new';
}
