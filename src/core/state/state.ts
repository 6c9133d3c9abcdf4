// What the next pass needs to know of the ones before: one small file, written when it changes. What only people look at is
// in `last-pass.ts`.

import * as z from 'zod/mini';
import { turnKey, TurnSchema, withoutOthers } from '../choice/turns.ts';
import { fromRfc3339, type Instant } from '../clock.ts';
import { splitServer } from '../config/servers.ts';
import { TrackedTaskSchema } from '../task/tracked.ts';
import { DispatchRecordSchema } from './dispatch-record.ts';

const STATE_VERSION = 2;

/** RFC 3339. */
export const instantText = z.string().check(z.refine((text) => fromRfc3339(text) !== undefined));

const UptimeSchema = z._default(z.nullable(z.object({ bootId: z.string(), ms: z.number() })), null);
const ScopeSchema = z.object({ at: instantText, uptime: UptimeSchema });
/** When a file appeared, by the clock and by the machine's uptime. */
export type Appearance = z.infer<typeof ScopeSchema>;

/** The state file. Unknown keys are kept out, so that a newer minor version's file still reads. */
const StateSchema = z.object({
  version: z.literal(STATE_VERSION),
  lastDispatch: z.nullable(
    z.object({
      at: instantText,
      ref: z.nullable(z.string()),
      /** What is about to appear, with all that is remembered of it, from the moment the slot is taken until all is recorded. */
      // Without a task: a dispatcher of the first version was stopped there.
      pending: z.nullable(z.object({ record: DispatchRecordSchema, task: z.nullable(TrackedTaskSchema) })),
      /** What the machine's uptime was then: a clock that is set, forward or back, moves no slot. */
      uptime: UptimeSchema,
    }),
  ),
  /** When the last file of each scope appeared that has a limit of its own: see `core/choice/own-limits.ts`. `*`: of any. */
  lastOf: z.optional(z.record(z.string(), ScopeSchema)),
  /** Whose turn it is: what was asked, and when again. */
  turns: z.record(z.string(), TurnSchema),
  /** By candidate key, from the dispatch until the file is archived. Null: unknown, to be gathered from the journal. */
  tasks: z.nullable(z.record(z.string(), TrackedTaskSchema)),
  /** Since when more than half of the dispatched issues are missing from the list. */
  vanishedSince: z.nullable(instantText),
});
export type State = z.infer<typeof StateSchema>;

/** What is remembered where there is no state file, or none that can be used. */
export const EMPTY_STATE: State = {
  version: STATE_VERSION,
  lastDispatch: null,
  turns: {},
  tasks: null,
  vanishedSince: null,
};

/** Reads a parsed state file; undefined when it is not one. */
export function parseState(raw: unknown): State | undefined {
  const result = StateSchema.safeParse(raw);
  return result.success ? result.data : undefined;
}

/** The version of a state file that a newer dispatcher wrote, or undefined. */
export function newerVersion(raw: unknown): number | undefined {
  if (typeof raw !== 'object' || raw === null || !('version' in raw)) return undefined;
  return typeof raw.version === 'number' && raw.version > STATE_VERSION ? raw.version : undefined;
}

/** When the last task file appeared, as far as the state knows. */
export function lastDispatchAt({ lastDispatch }: Pick<State, 'lastDispatch'>): Instant | null {
  return lastDispatch ? (fromRfc3339(lastDispatch.at) ?? null) : null;
}

// A repository was called otherwise when there was one server and now there are several, or the other way round.
function namesake(lastOf: State['lastOf'], scope: string): NonNullable<State['lastOf']>[string] | undefined {
  const word = 'repository ';
  if (!lastOf || !scope.startsWith(word)) return undefined;
  const { server, rest } = splitServer(scope.slice(word.length));
  const found = Object.entries(lastOf).flatMap(([other, last]) => {
    const there = splitServer(other.slice(word.length));
    const isSame = other.startsWith(word) && there.rest === rest && (server === null) !== (there.server === null);
    return isSame ? [last] : [];
  });
  return found.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
}

/** When the last task file of a scope appeared that has a limit of its own, as far as the state knows. */
export function lastOfScope({ lastOf }: Pick<State, 'lastOf'>): (scope: string) => Instant | null {
  return (scope) => fromRfc3339((lastOf?.[scope] ?? namesake(lastOf, scope) ?? lastOf?.['*'])?.at ?? '') ?? null;
}

/** The state with the file of a candidate appeared, or about to, at that moment; `ms`: the longest limit of any scope. */
export function withAppearance(
  state: State,
  lastDispatch: NonNullable<State['lastDispatch']>,
  { scopes, ms }: { readonly scopes: readonly string[]; readonly ms: number },
): State {
  const before = Object.entries(state.lastOf ?? {});
  if (scopes.length + before.length === 0) return { ...state, lastDispatch };
  const { at, uptime } = lastDispatch;
  const now = fromRfc3339(at) ?? 0;
  // What is over for every limit need not be remembered. One in the future may be: the clock was set.
  const kept = before.filter(([, last]) => Math.abs(now - (fromRfc3339(last.at) ?? 0)) < ms);
  const own = scopes.map((scope) => [scope, { at, uptime }] as const);
  return { ...state, lastDispatch, lastOf: Object.fromEntries([...kept, ...own]) };
}

/** The candidates of a listing. */
export interface ListedCandidates {
  readonly keys: ReadonlySet<string>;
  /** What was asked about since then may be there, and not be listed this time. Null: all there is is listed. */
  readonly since: Instant | null;
}

/** Forgets the turns of candidates and tasks that are no more. */
export function withoutStaleTurns(state: State, { keys, since }: ListedCandidates): State {
  const { tasks } = state;
  const mayBeThere = (key: string): boolean =>
    since !== null && (fromRfc3339(state.turns[key]?.askedAt ?? '') ?? 0) >= since;
  const turns = withoutOthers(state.turns, (kind, subject) =>
    kind === 'read' || kind === 'hang' || kind === 'hold'
      ? keys.has(subject) || mayBeThere(turnKey(kind, subject))
      : kind === 'place' || tasks === null || subject in tasks,
  );
  return { ...state, turns };
}
