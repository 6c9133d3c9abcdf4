import * as z from 'zod/mini';
import { hintOf, messageOf } from '../errors.ts';

const FindingSchema = z.object({
  check: z.string(),
  status: z.enum(['ok', 'note', 'warning', 'failed', 'skipped']),
  message: z.string(),
  fix: z.nullable(z.string()),
});
const ReportSchema = z.object({ findings: z.array(FindingSchema) });

/** What a check of `doctor` found. Only `failed` makes the command exit 1. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly status: 'ok' | 'note' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  /** What to type or change; a failed one always has it. */
  readonly fix: string | null;
}

/** What another `doctor --json` printed; null when that is not what it printed. */
export function parseReport(text: string): readonly Finding[] | null {
  try {
    return ReportSchema.parse(JSON.parse(text)).findings;
  } catch {
    return null;
  }
}

/** A check that found what it should. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message, fix: null };
}

/** Something to know, and nothing to mend. */
export function note(check: string, message: string): Finding {
  return { check, status: 'note', message, fix: null };
}

/** A check that failed of what was thrown, with its remedy or another one. */
export function failed(check: string, error: unknown, otherwise: string): Finding {
  return { check, status: 'failed', message: messageOf(error), fix: hintOf(error) ?? otherwise };
}
