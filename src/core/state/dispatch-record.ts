import * as z from 'zod/mini';
import { PRIORITIES, type Priority } from '../issue/priority.ts';

/** One dispatch, as a line of `dispatches.jsonl`. */
export const DispatchRecordSchema = z.object({
  /** RFC 3339, the same as `dispatchedAt` in the task file. */
  at: z.string(),
  /** As `serverOf` names it. Missing in what older versions wrote. */
  server: z.optional(z.string()),
  ref: z.string(),
  issueId: z.int(),
  agent: z.string(),
  title: z.string(),
  priority: z.enum(PRIORITIES),
  prioritySource: z.string(),
  trigger: z.enum(['timer', 'manual', 'forced']),
  attempt: z.int(),
  /** Absolute path of the task file. */
  file: z.string(),
  /** False: it was forced on an agent that the issue is not assigned to. Missing in what older versions wrote. */
  isAssigned: z.optional(z.boolean()),
  /** Gates that `--force` lifted, in words. */
  lifted: z.array(z.string()),
  contentHash: z.string(),
  /** RFC 3339: when the issue was opened. Missing in records of older versions. */
  waitingSince: z.optional(z.string()),
});
export type DispatchRecord = z.infer<typeof DispatchRecordSchema>;

const ArchiveRecordSchema = z.object({
  /** RFC 3339. */
  at: z.string(),
  ref: z.string(),
  issueId: z.int(),
  agent: z.string(),
  /** `replaced`: its repository was deleted and made again. `lease_lost`: another machine may have it. */
  reason: z.enum(['closed', 'unassigned', 'replaced', 'lease_lost']),
  /** Absolute paths. */
  from: z.string(),
  to: z.string(),
});
/** A task that was moved to the archive, as a line of `archived.jsonl`. */
export type ArchiveRecord = Readonly<z.infer<typeof ArchiveRecordSchema>>;

/** How many tasks of one priority an agent was ever sent. */
export interface DispatchTotal {
  readonly agent: string;
  readonly priority: Priority;
  readonly count: number;
}

/** Reads one parsed line of the journal; undefined when it is none. */
export function parseDispatchRecord(raw: unknown): DispatchRecord | undefined {
  const result = DispatchRecordSchema.safeParse(raw);
  return result.success ? result.data : undefined;
}

/** Reads one parsed line of `archived.jsonl`; undefined when it is none. */
export function parseArchiveRecord(raw: unknown): ArchiveRecord | undefined {
  const result = ArchiveRecordSchema.safeParse(raw);
  return result.success ? result.data : undefined;
}
