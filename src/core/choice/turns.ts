// Whose turn is it? One answer for everything that a pass asks, reads, moves, tells or tries again, a few at a time: the one
// that was asked least recently. Whatever was asked goes behind the others, however it ended, so that nothing that fails,
// and nothing that is held, can stand in front of anything else for ever.

import * as z from 'zod/mini';
import { fromRfc3339, type Instant, toRfc3339 } from '../clock.ts';

/**
 * What a turn is about. Of a candidate: `read`, it could not be read or rendered; `hang`, a pass ended while it was at it;
 * `hold`, only the server can tell when it is free. Of an agent: `place`, its task could not be put into its folder. The others are
 * of tasks that are out.
 */
export type TurnKind = 'read' | 'hang' | 'hold' | 'place' | 'archive' | 'news' | 'blocker' | 'receipt' | 'hook';

/** What was asked when, and when it may be asked again, as the state file has it. */
export const TurnSchema = z.object({
  /** RFC 3339. */
  askedAt: z.string(),
  dueAt: z.string(),
  /** How often in a row it came to nothing. */
  tries: z.int(),
  /** Why, for people. */
  message: z.nullable(z.string()),
  /** Of a hold: what kind, when the issue was changed last, and the issues in front that the listing showed as open. */
  hold: z.optional(
    z.object({ reason: z.enum(['blocked', 'held']), updatedAt: z.number(), waitsFor: z.array(z.string()) }),
  ),
});
export type Turn = z.infer<typeof TurnSchema>;

/** Turns by `turnKey`. What has none was never asked. */
export type Turns = Readonly<Record<string, Turn>>;

/** What asking came to. Each answer is written down: what is not, would be asked again at once, before everybody else. */
export type Answer =
  /** Nothing is left to ask. */
  | { readonly kind: 'settled' }
  /** It went well, and has its next turn after all others. */
  | { readonly kind: 'done' }
  /** It is as it was; to be asked again after a fixed time. */
  | { readonly kind: 'later'; readonly afterMs: number; readonly message?: string; readonly hold?: Turn['hold'] }
  /** It failed: tried again after 1, 2, 4, ... minutes. */
  | { readonly kind: 'failed'; readonly message: string };

const MINUTE = 60_000;
/** The longest wait between two tries of the same. A record that asks for more was written by a clock that was ahead. */
const LONGEST: Readonly<Record<TurnKind, number>> = {
  read: 15 * MINUTE,
  // It costs a whole pass each time: many of them must not be the end of all passes.
  hang: 24 * 60 * MINUTE,
  hold: 5 * MINUTE,
  // It costs a slot each time.
  place: 15 * MINUTE,
  archive: 60 * MINUTE,
  news: 15 * MINUTE,
  blocker: 15 * MINUTE,
  receipt: 60 * MINUTE,
  hook: 15 * MINUTE,
};

/** The name of a turn: `read 7:hans`. */
export function turnKey(kind: TurnKind, subject: string): string {
  return `${kind} ${subject}`;
}

/** Whether it may be asked now. A turn that was asked in the future was so under another clock, and says nothing. */
export function isDue(turns: Turns, kind: TurnKind, subject: string, now: Instant): boolean {
  const turn = turns[turnKey(kind, subject)];
  if (!turn) return true;
  const askedAt = fromRfc3339(turn.askedAt) ?? 0;
  const dueAt = Math.min(fromRfc3339(turn.dueAt) ?? 0, askedAt + LONGEST[kind]);
  return dueAt <= now || askedAt > now;
}

const OF_CANDIDATES: readonly TurnKind[] = ['read', 'hang', 'hold', 'place'];

/** The turns of candidates and their agents: those of tasks that are out are none of the choice's business. */
export function candidateTurns(turns: Turns): Turns {
  return withoutOthers(turns, (kind) => OF_CANDIDATES.some((each) => each === kind));
}

/** Those of them that are due, by their keys. */
export function dueKeys(turns: Turns, now: Instant): readonly string[] {
  return Object.keys(turns).filter((key) =>
    OF_CANDIDATES.some((kind) => key.startsWith(`${kind} `) && isDue(turns, kind, key.slice(kind.length + 1), now)),
  );
}

/** Asked nobody knows when, since the clock was ahead then: after what was never asked, before all else. */
const SOME_TIME = 1;

/** Orders what is due, each given by its kind and subject: never asked before long ago, long ago before just now. */
export function byTurn(
  turns: Turns,
  now: Instant,
): (a: readonly [TurnKind, string], b: readonly [TurnKind, string]) => number {
  const askedAt = ([kind, subject]: readonly [TurnKind, string]): Instant => {
    const at = fromRfc3339(turns[turnKey(kind, subject)]?.askedAt ?? '') ?? 0;
    return at > now ? SOME_TIME : at;
  };
  return (a, b) => askedAt(a) - askedAt(b);
}

/** Writes down what asking came to. */
export function answered(turns: Turns, kind: TurnKind, subject: string, answer: Answer, now: Instant): Turns {
  const key = turnKey(kind, subject);
  const { [key]: before, ...others } = turns;
  const next = (afterMs: number, tries: number, message: string | null, hold?: Turn['hold']): Turns => ({
    ...others,
    [key]: {
      askedAt: toRfc3339(now),
      dueAt: toRfc3339(now + Math.min(afterMs, LONGEST[kind])),
      tries,
      message,
      ...(hold ? { hold } : {}),
    },
  });
  switch (answer.kind) {
    case 'settled':
      return others;
    case 'done':
      return next(0, 0, null);
    case 'later':
      return next(answer.afterMs, before?.tries ?? 0, answer.message ?? null, answer.hold);
    case 'failed': {
      const tries = (before?.tries ?? 0) + 1;
      // A pass that was killed may have been so for any reason: the first time is no fault of the issue.
      const waits = kind === 'hang' ? tries - 1 : tries;
      return next(waits === 0 ? 0 : MINUTE * 2 ** Math.min(waits - 1, 20), tries, answer.message);
    }
  }
}

/** Nothing is left to ask of a subject in these ways. */
export function settled(turns: Turns, kinds: readonly TurnKind[], subject: string): Turns {
  return kinds.reduce((all, kind) => answered(all, kind, subject, { kind: 'settled' }, 0), turns);
}

/** Why nothing is put into an agent's folder for a while; null: it may be tried. */
export function placeTrouble(turns: Turns, agent: string, now: Instant): string | null {
  const turn = turns[turnKey('place', agent)];
  return turn && !isDue(turns, 'place', agent, now) ? turn.message : null;
}

/** Forgets the turns of subjects that are no more. */
export function withoutOthers(turns: Turns, isKept: (kind: string, subject: string) => boolean): Turns {
  const kept = Object.entries(turns).filter(([key]) => {
    const space = key.indexOf(' ');
    return isKept(key.slice(0, space), key.slice(space + 1));
  });
  return Object.fromEntries(kept);
}
