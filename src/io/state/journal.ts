import { join } from 'node:path';
import { type Instant, fromRfc3339 } from '../../core/clock.ts';
import {
  type ArchiveRecord,
  type DispatchRecord,
  type DispatchTotal,
  parseArchiveRecord,
  parseDispatchRecord,
} from '../../core/state/dispatch-record.ts';
import { systemCode } from '../../core/errors.ts';
import { appendLine, readRegularFile } from '../files.ts';
import { followLines } from '../tail.ts';

/** Appends a dispatch. A line that a power cut left unfinished is closed first, so that it spoils only itself. */
export function appendDispatch(stateDirectory: string, entry: DispatchRecord): void {
  const path = join(stateDirectory, FILE);
  const unfinished = !['', '\n'].includes(readText(path).slice(-1));
  appendLine(path, `${unfinished ? '\n' : ''}${JSON.stringify(entry)}`);
}

/** Appends what was archived to `archived.jsonl`, beside the journal of dispatches. */
export function appendArchived(stateDirectory: string, entry: ArchiveRecord): void {
  appendLine(join(stateDirectory, ARCHIVED), JSON.stringify(entry));
}

/** Every dispatch ever made, oldest first. Lines that are not entries are left out. */
export function readDispatches(stateDirectory: string): readonly DispatchRecord[] {
  return readText(join(stateDirectory, FILE))
    .split('\n')
    .flatMap((line) => recordIn(line) ?? []);
}

/** Everything that was archived since `archived.jsonl` was begun, oldest first. Lines that are not entries are left out. */
export function readArchived(stateDirectory: string): readonly ArchiveRecord[] {
  return readText(join(stateDirectory, ARCHIVED))
    .split('\n')
    .flatMap((line) => parsedLine(line, parseArchiveRecord) ?? []);
}

/** What a reader that stays learns from the journal. */
export interface DispatchHistory {
  /** The last ones and all of the last day, oldest first. */
  readonly recent: readonly DispatchRecord[];
  /** All dispatches ever made, by agent and priority. */
  readonly totals: readonly DispatchTotal[];
}

/** Answers a function that tells the history; each call reads only what was appended since the one before. */
export function followDispatches(stateDirectory: string): (now: Instant) => DispatchHistory {
  const next = followLines(join(stateDirectory, FILE), { behind: MAX_BYTES, longestLine: MAX_LINE });
  let recent: DispatchRecord[] = [];
  let totals = new Map<string, DispatchTotal>();
  return (now) => {
    const { lines, restarted } = next();
    if (restarted) [recent, totals] = [[], new Map()];
    for (const { text } of lines) {
      const record = recordIn(text);
      if (!record) continue;
      recent.push(record);
      const key = `${record.agent} ${record.priority}`;
      const { agent, priority } = record;
      totals.set(key, { agent, priority, count: (totals.get(key)?.count ?? 0) + 1 });
    }
    const older = recent.slice(0, -KEPT).filter((record) => now - (fromRfc3339(record.at) ?? 0) < DAY_MS);
    recent = [...older, ...recent.slice(-KEPT)];
    return { recent, totals: [...totals.values()] };
  };
}

const FILE = 'dispatches.jsonl';
const ARCHIVED = 'archived.jsonl';
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_LINE = 65_536;
const DAY_MS = 86_400_000;
/** How many of the last dispatches a follower keeps in any case. */
const KEPT = 500;

function recordIn(line: string): DispatchRecord | undefined {
  return parsedLine(line, parseDispatchRecord);
}

function parsedLine<T>(line: string, parse: (raw: unknown) => T | undefined): T | undefined {
  try {
    return parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readRegularFile(path) ?? '';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}
