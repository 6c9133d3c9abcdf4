// The journal of dispatches: dispatches.jsonl, a line a dispatch, append-only. Grown to a few megabytes it becomes
// dispatches.jsonl.1 (the one before that .2, and so on, none is deleted), and the new one begins with what the old ones add up to: so nobody
// ever has to read more than the newest two.

import { closeSync, constants, existsSync, fstatSync, openSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { type Instant, fromRfc3339 } from '../../core/clock.ts';
import type { Config } from '../../core/config/config.ts';
import { PRIORITIES } from '../../core/issue/priority.ts';
import {
  type ArchiveRecord,
  type DispatchRecord,
  type DispatchTotal,
  parseArchiveRecord,
  parseDispatchRecord,
} from '../../core/state/dispatch-record.ts';
import { EXIT, hintOf, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { appendLine, readRegularFile } from '../files.ts';
import { followLines } from '../tail.ts';

/** What a pass needs of the journal. */
export interface Journal {
  /** Appends a dispatch. A line that a power cut left unfinished is closed first, so that it spoils only itself. */
  readonly append: (entry: DispatchRecord) => void;
  /** Appends what was archived to `archived.jsonl`, beside the journal of dispatches. */
  readonly appendArchived: (entry: ArchiveRecord) => void;
  /** The dispatches of the newest two files, oldest first. Lines that are not entries are left out. */
  readonly read: () => readonly DispatchRecord[];
  /** The highest attempt so far at giving an issue to an agent; 0 when there was none, or too long ago to be in the newest two files. */
  readonly attempts: (issue: { readonly server: string; readonly issueId: number; readonly agent: string }) => number;
}

/** The journal of a configuration. */
export function openJournal({ stateDirectory }: Pick<Config, 'stateDirectory'>, rotateAt = ROTATE_BYTES): Journal {
  const path = join(stateDirectory, FILE);
  return {
    append: (entry) => {
      const { size, isUnfinished } = endOf(path);
      if (size > rotateAt) rotate(path);
      appendLine(path, `${isUnfinished && size <= rotateAt ? '\n' : ''}${JSON.stringify(entry)}`);
    },
    appendArchived: (entry) => appendLine(join(stateDirectory, ARCHIVED), JSON.stringify(entry)),
    read: () => readDispatches(stateDirectory),
    attempts: ({ server, issueId, agent }) =>
      linesOf(path)
        // Thousands of lines: only those that may be meant are parsed.
        .filter((line) => line.includes(`"issueId":${issueId},`))
        .flatMap((line) => recordIn(line) ?? [])
        .filter((entry) => entry.issueId === issueId && entry.agent === agent && (entry.server ?? server) === server)
        .reduce((most, { attempt }) => Math.max(most, attempt), 0),
  };
}

/** The dispatches of the newest two files, oldest first. Lines that are not entries are left out. */
export function readDispatches(stateDirectory: string): readonly DispatchRecord[] {
  return linesOf(join(stateDirectory, FILE)).flatMap((line) => recordIn(line) ?? []);
}

/** Everything that was archived since `archived.jsonl` was begun, oldest first. Lines that are not entries are left out. */
export function readArchived(stateDirectory: string): readonly ArchiveRecord[] {
  return (readText(join(stateDirectory, ARCHIVED)) ?? '')
    .split('\n')
    .flatMap((line) => parseArchiveRecord(jsonIn(line)) ?? []);
}

/** What a reader that stays learns from the journal. */
export interface DispatchHistory {
  /** The last ones and all of the last day, oldest first. */
  readonly recent: readonly DispatchRecord[];
  /** All dispatches ever made, by agent and priority. */
  readonly totals: readonly DispatchTotal[];
}

/**
 * Answers a function that tells the history; each call reads only what was appended since the one before. For the totals alone
 * the file before the newest one need not be read: `recent` may begin late then.
 */
export function followDispatches(
  stateDirectory: string,
  { needs }: { readonly needs: 'all' | 'totals' } = { needs: 'all' },
): (now: Instant) => DispatchHistory {
  const path = join(stateDirectory, FILE);
  const next = followLines(path, { behind: MAX_BYTES, longestLine: MAX_LINE });
  let isBegun = false;
  let recent: DispatchRecord[] = [];
  let totals = new Map<string, DispatchTotal>();
  return (now) => {
    const { lines, restarted } = next();
    if (restarted) [recent, totals] = [[], new Map()];
    const isStart = !isBegun || restarted;
    isBegun = true;
    for (const text of [...(isStart && needs === 'all' ? olderTexts(path) : []), ...lines.map((line) => line.text)]) {
      const before = totalsIn(text);
      if (before) totals = new Map(before.map((total) => [keyOf(total), total]));
      const record = recordIn(text);
      if (!record) continue;
      recent.push(record);
      count(totals, record);
    }
    const ofDay = recent.slice(0, -KEPT).filter((record) => now - (fromRfc3339(record.at) ?? 0) < DAY_MS);
    recent = [...ofDay, ...recent.slice(-KEPT)];
    return { recent, totals: [...totals.values()] };
  };
}

const FILE = 'dispatches.jsonl';
const ARCHIVED = 'archived.jsonl';
/** Some eight thousand dispatches. */
const ROTATE_BYTES = 4 * 1024 * 1024;
const MAX_BYTES = 256 * 1024 * 1024;
/** The first line of a file tells of each agent that ever had a task. */
const MAX_LINE = 4 * 1024 * 1024;
/** The longest there is: the one on which the clock is put back. */
const DAY_MS = 25 * 3_600_000;
/** How many of the last dispatches a follower keeps in any case. */
const KEPT = 500;

/** The first line of a file that follows others. */
const TotalsSchema = z.object({
  totals: z.array(z.object({ agent: z.string(), priority: z.enum(PRIORITIES), count: z.int() })),
});

// Killed in between, a file is missing for a moment and its successor begins without totals: nothing else is lost.
function rotate(path: string): void {
  const totals = new Map<string, DispatchTotal>();
  for (const line of (readText(path) ?? '').split('\n')) {
    for (const total of totalsIn(line) ?? []) totals.set(keyOf(total), total);
    const record = recordIn(line);
    if (record) count(totals, record);
  }
  let last = 0;
  while (existsSync(`${path}.${last + 1}`)) last += 1;
  for (let number = last; number > 0; number -= 1) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  renameSync(path, `${path}.1`);
  appendLine(path, JSON.stringify({ totals: [...totals.values()] }));
}

function count(totals: Map<string, DispatchTotal>, { agent, priority }: DispatchRecord): void {
  const key = keyOf({ agent, priority });
  totals.set(key, { agent, priority, count: (totals.get(key)?.count ?? 0) + 1 });
}

function keyOf({ agent, priority }: Pick<DispatchTotal, 'agent' | 'priority'>): string {
  return `${agent} ${priority}`;
}

function recordIn(line: string): DispatchRecord | undefined {
  return parseDispatchRecord(jsonIn(line));
}

function totalsIn(line: string): readonly DispatchTotal[] | undefined {
  if (!line.startsWith('{"totals":')) return undefined;
  const result = TotalsSchema.safeParse(jsonIn(line));
  return result.success ? result.data.totals : undefined;
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function linesOf(path: string): string[] {
  return [`${path}.1`, path].flatMap((file) => textsOf(file));
}

// Who follows goes on without it, as without any file that cannot be read.
function olderTexts(path: string): string[] {
  try {
    return textsOf(`${path}.1`);
  } catch {
    return [];
  }
}

function textsOf(file: string): string[] {
  return (readText(file) ?? '').split('\n');
}

function readText(path: string): string | undefined {
  try {
    return readRegularFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new UserError(`the journal ${path} cannot be read: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'journal_unreadable',
      hint: hintOf(error) ?? 'let this user read it: it tells what was dispatched before',
      cause: error,
    });
  }
}

function endOf(path: string): { readonly size: number; readonly isUnfinished: boolean } {
  let handle: number;
  try {
    // A pipe must not hold us up.
    handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // Whoever appends says what is wrong with it.
    if (systemCode(error) !== '') return { size: 0, isUnfinished: false };
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    const last = Buffer.alloc(1);
    return { size, isUnfinished: size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a };
  } finally {
    closeSync(handle);
  }
}
