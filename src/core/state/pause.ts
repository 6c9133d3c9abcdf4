import * as z from 'zod/mini';
import { fromRfc3339, type Instant } from '../clock.ts';
import { cleanLine } from '../task/untrusted.ts';

/** An order to dispatch nothing, to one agent or to anybody. */
export interface Pause {
  /** Null: nobody gets anything. */
  readonly agent: string | null;
  /** RFC 3339; null when the record is broken. */
  readonly at: string | null;
  readonly by: string | null;
  readonly reason: string | null;
  /** RFC 3339, or null: until it is taken back. */
  readonly until: string | null;
}

const instant = z.string().check(z.refine((text) => fromRfc3339(text) !== undefined));
const PauseSchema = z.object({
  at: instant,
  by: z.nullable(z.string()),
  reason: z.nullable(z.string()),
  until: z.nullable(instant),
});

/** Reads a parsed pause record. A broken one holds all the same: nobody wrote it to have work go on. */
export function parsePause(raw: unknown, agent: string | null): Pause {
  const result = PauseSchema.safeParse(raw);
  if (!result.success) return brokenPause(agent);
  const { at, by, reason, until } = result.data;
  const clean = (text: string | null): string | null => (text === null ? null : cleanLine(text, 200) || null);
  return { agent, at, by: clean(by), reason: clean(reason), until };
}

/** What counts when a pause record cannot be read. */
export function brokenPause(agent: string | null): Pause {
  return { agent, at: null, by: null, reason: 'its record cannot be read; resume takes it away', until: null };
}

/** Those that hold at that moment. */
export function activePauses(pauses: readonly Pause[], now: Instant): readonly Pause[] {
  return pauses.filter(({ until }) => until === null || (fromRfc3339(until) ?? Number.POSITIVE_INFINITY) > now);
}

/** The pause that keeps an agent from getting anything, if there is one. */
export function pauseOf(pauses: readonly Pause[], agent: string, now: Instant): Pause | undefined {
  return activePauses(pauses, now).find((pause) => pause.agent === null || pause.agent === agent);
}

/** `everything is paused by ana: release freeze` */
export function pauseText({ agent, by, reason }: Pause): string {
  return `${agent ?? 'everything'} is paused${by === null ? '' : ` by ${by}`}${reason === null ? '' : `: ${reason}`}`;
}
