// What is known of each scope, kept between passes in <state>/listing. Three files a scope and a head that says which of them
// hold, and how far: the head is replaced last, so a pass that is killed leaves the one before. Whatever does not fit together
// counts as nothing known, which costs a full listing and nothing else.
//
//   <key>.json        the head: watermark, cursor, counts; rewritten in each pass, about 500 bytes
//   <key>.<n>.open    ids and fingerprints of all open issues, as numbers; rewritten after many changes
//   <key>.<n>.rows    the assigned ones as lines, appended; read only when a choice is to be made
//   <key>.seen        ids that this round has shown, appended; read at its end

import { createHash } from 'node:crypto';
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import * as z from 'zod/mini';
import type { Instant } from '../../core/clock.ts';
import type { Issue } from '../../core/issue/issue.ts';
import { openIssues, UNASSIGNED, UNREADABLE } from '../../core/listing/open-issues.ts';
import { issuesIn, rowOf, updatedIn } from '../../core/listing/row.ts';
import { BEGINNING, forgottenScope, type ScopeState, unknownScope } from '../../core/listing/scope-state.ts';
import {
  bufferOf,
  bytesOf,
  linesIn,
  makePrivateFolder,
  namesIn,
  numbersIn,
  parsed,
  removeFile,
  writeAt,
} from './cache-files.ts';

/** The cache of a scope. */
export interface ScopeCache {
  readonly state: () => ScopeState;
  /** Nothing is known from now on, but what repositories are called. */
  readonly restart: () => void;
  /** Every id that the server has shown in this round. */
  readonly seen: () => ReadonlySet<number>;
  /** The assigned open issues. Undefined: the file is not what was written; nothing is known from now on. */
  readonly issues: () => readonly Issue[] | undefined;
  /** Those of them with these ids; undefined as above. */
  readonly find: (ids: ReadonlySet<number>) => readonly Issue[] | undefined;
  /** When the row of an issue was updated last. */
  readonly updatedAt: (id: number) => Instant | undefined;
  /** A text that is another one when other issues are open, or an assigned one has changed. Undefined: nothing is kept. */
  readonly stamp: () => string | undefined;
  /** Remembers the state for the next pass. */
  readonly save: () => void;
}

const VERSION = 1;
/** A head holds so many changes before the file of all open issues is written anew. */
const MOST_CHANGES = 32;
/** Rows that hold no more, before the file of rows is written anew. */
const MOST_STALE = 1000;

const count = z.int().check(z.nonnegative());
const HeadSchema = z.object({
  version: z.literal(VERSION),
  identity: z.string(),
  server: z.optional(z.string()),
  since: z.nullable(z.number()),
  latest: z.number(),
  isClockOff: z.boolean(),
  isWhole: z.boolean(),
  keepsAll: z.boolean(),
  isPullsTurn: z._default(z.boolean(), true),
  passes: count,
  turn: z._default(count, 0),
  cursor: z.object({ from: count, most: z.int().check(z.positive()) }),
  lap: z.union([z.literal(1), z.literal(2)]),
  total: z.nullable(z.number()),
  gap: z.nullable(z.number()),
  off: z.number(),
  names: z.record(z.string(), z.object({ id: z.number(), now: z.string() })),
  open: z.object({ file: count, bytes: count, crc: z.number() }),
  changes: z.array(z.tuple([z.number(), z.nullable(z.number())])),
  rows: z.object({ file: count, bytes: count, lines: count, mtime: z.number() }),
  seen: z.object({ bytes: count }),
});
type Head = z.infer<typeof HeadSchema>;

/**
 * What is remembered of a scope. `identity` names whatever makes it another scope when it changes: the server, the token, what
 * is configured. `server`: what the server is called, where there are several.
 */
export function openScopeCache(stateDirectory: string, identity: string, server: string | null = null): ScopeCache {
  const folder = join(stateDirectory, 'listing');
  const key = keyOf(identity);
  const path = (ending: string): string => join(folder, `${key}.${ending}`);
  const found = readHead(path('json'), key);
  let state = (found && stateIn(found, path)) ?? unknownScope();
  let head = state.since === null && state.open.size() === 0 ? undefined : found;
  const lastFile = Math.max(found?.open.file ?? 0, found?.rows.file ?? 0);

  const restart = (): void => {
    state = forgottenScope(state);
    head = undefined;
  };
  const lines = (): readonly string[] => [
    ...(head ? linesIn(path(`${head.rows.file}.rows`), head.rows.bytes) : []),
    ...state.lines,
  ];
  const checked = (read: readonly Issue[] | undefined, wanted: number): readonly Issue[] | undefined => {
    if (read?.length === wanted) return read;
    removeFile(path('json'));
    restart();
    return undefined;
  };
  const issues = (): readonly Issue[] | undefined => checked(issuesIn(lines(), state.open.get), assigned(state));
  const find = (ids: ReadonlySet<number>): readonly Issue[] | undefined => {
    const wanted = [...ids].filter((id) => (state.open.get(id) ?? 0) > 0);
    return wanted.length === 0 ? [] : checked(issuesIn(lines(), state.open.get, ids), wanted.length);
  };
  return {
    state: () => state,
    restart,
    issues,
    find,
    updatedAt: (id) => updatedIn(lines(), id),
    stamp: () =>
      head && JSON.stringify([key, head.open, head.rows.file, state.isWhole, state.keepsAll, [...state.open.changes]]),
    seen: () =>
      new Set([...(head && !state.isNewRound ? numbersIn(path('seen'), head.seen.bytes) : []), ...state.seen]),
    save: () => {
      makePrivateFolder(folder);
      const rows = savedRows({ head, state, path, lastFile, issues });
      const open = savedOpen({ head, state, path, lastFile });
      const begins = state.isNewRound ? 0 : (head?.seen.bytes ?? 0);
      const seen = { bytes: writeAt(path('seen'), begins, bytesOf(Float64Array.from(state.seen)), false) };
      const name = server === null ? {} : { server };
      const next: Head = { version: VERSION, identity: key, ...name, ...remembered(state), ...open, rows, seen };
      writeFileSync(path('json.tmp'), JSON.stringify(next), { mode: 0o600 });
      renameSync(path('json.tmp'), path('json'));
      head = next;
      Object.assign(state, { lines: [], seen: [], isNewRound: false });
      if (next.open.file !== found?.open.file || rows.file !== found.rows.file) tidy(folder, key, next);
    },
  };
}

/** A scope that is listed once, with its unassigned issues, and not remembered. */
export function unsavedScope(): ScopeCache {
  const state = unknownScope(true);
  return {
    state: () => state,
    restart: () => {},
    issues: () => issuesIn(state.lines, state.open.get),
    find: (ids) => issuesIn(state.lines, state.open.get, ids),
    updatedAt: (id) => updatedIn(state.lines, id),
    seen: () => new Set(state.seen),
    stamp: () => undefined,
    save: () => {},
  };
}

interface Saving {
  readonly head: Head | undefined;
  readonly state: ScopeState;
  readonly path: (ending: string) => string;
  readonly lastFile: number;
}

function savedRows({ head, state, path, lastFile, issues }: Saving & Pick<ScopeCache, 'issues'>): Head['rows'] {
  const { lines } = state;
  if (head && lines.length === 0) return head.rows;
  const isStale = head !== undefined && head.rows.lines + lines.length > 2 * assigned(state) + MOST_STALE;
  const all = isStale ? issues()?.map((issue) => rowOf(issue)) : undefined;
  const file = head && !all ? head.rows.file : lastFile + 1;
  const written = all ?? lines;
  const at = head && !all ? head.rows : { bytes: 0, lines: 0 };
  const bytes = writeAt(path(`${file}.rows`), at.bytes, Buffer.from(written.map((line) => `${line}\n`).join('')), true);
  return { file, bytes, lines: at.lines + written.length, mtime: statSync(path(`${file}.rows`)).mtimeMs };
}

function savedOpen({ head, state, path, lastFile }: Saving): Pick<Head, 'open' | 'changes'> {
  const { open } = state;
  if (head && open.changes.size <= MOST_CHANGES) return { open: head.open, changes: [...open.changes] };
  const bytes = bytesOf(open.toBase());
  const file = lastFile + 1;
  writeAt(path(`${file}.open`), 0, bytes, true);
  return { open: { file, bytes: bytes.length, crc: crc32(bytes) }, changes: [] };
}

// Removes the files that this head has nothing to do with.
function tidy(folder: string, key: string, { open, rows }: Head): void {
  const kept = new Set([`${key}.${open.file}.open`, `${key}.${rows.file}.rows`]);
  for (const name of namesIn(folder)) {
    if (name.startsWith(`${key}.`) && /\.(?:open|rows)$/u.test(name) && !kept.has(name)) removeFile(join(folder, name));
  }
}

/** Removes what was remembered of scopes that are not these any more. */
export function forgetOtherScopes(stateDirectory: string, identities: readonly string[]): void {
  const folder = join(stateDirectory, 'listing');
  const keys = new Set(identities.map((identity) => keyOf(identity)));
  for (const name of namesIn(folder)) if (!keys.has(name.split('.')[0] ?? '')) removeFile(join(folder, name));
}

function keyOf(identity: string): string {
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}

function assigned({ open }: ScopeState): number {
  return open.size() - open.count(UNASSIGNED) - open.count(UNREADABLE);
}

function remembered(state: Omit<ScopeState, 'open' | 'lines' | 'seen' | 'isNewRound'>) {
  const { since, latest, isClockOff, isWhole, keepsAll, isPullsTurn, passes } = state;
  const { turn, cursor, lap, total, gap, off, names } = state;
  const known = { since, latest, isClockOff, isWhole, keepsAll, isPullsTurn, passes };
  return { ...known, turn, cursor, lap, total, gap, off, names };
}

/** The head of a cache; undefined: there is none of that key. */
export function readHead(file: string, key: string): Head | undefined {
  const result = HeadSchema.safeParse(parsed(bufferOf(file)));
  return result.success && result.data.identity === key ? result.data : undefined;
}

/** What a cache says; undefined: its files are not those that were written. */
export function stateIn(head: Head, path: (ending: string) => string): ScopeState | undefined {
  const bytes = bufferOf(path(`${head.open.file}.open`));
  if (bytes?.length !== head.open.bytes || crc32(bytes) !== head.open.crc || bytes.length % 16 !== 0) return undefined;
  const rows = statSync(path(`${head.rows.file}.rows`), { throwIfNoEntry: false });
  // A longer one has what a pass wrote that was killed then; it is cut off before more is appended.
  if (!rows || rows.size < head.rows.bytes) return undefined;
  if (rows.size === head.rows.bytes && rows.mtimeMs !== head.rows.mtime) return undefined;
  const base = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const isRoundLost = (statSync(path('seen'), { throwIfNoEntry: false })?.size ?? 0) < head.seen.bytes;
  const round = isRoundLost ? { cursor: BEGINNING, lap: 1 as const } : {};
  return {
    ...unknownScope(),
    ...remembered(head),
    ...round,
    open: openIssues(base, head.changes),
    isNewRound: isRoundLost,
  };
}
