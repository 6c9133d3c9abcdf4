// The history on the disk: `history/2026-04-09.jsonl`, one file for each day (UTC), to which passes append, and
// `history/memory.json`, what one pass leaves for the next. A pass reads no file of events, whatever there is.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Instant } from '../../core/clock.ts';
import { systemCode } from '../../core/errors.ts';
import { archivedEvent, dayOf, dispatchedEvent, type HistoryEvent } from '../../core/history/event.ts';
import { eventLine } from '../../core/history/lines.ts';
import {
  asBegun,
  knowsDispatch,
  type Memory,
  NO_MEMORY,
  observed,
  parseMemory,
  type Sight,
  withArchived,
  withDispatch,
} from '../../core/history/observe.ts';
import type { ArchiveRecord, DispatchRecord } from '../../core/state/dispatch-record.ts';
import { createOwnFolder, giveMode, GROUP_READS, readRegularFile, replaceFile } from '../files.ts';
import { daysIn, fileOf, HISTORY_FOLDER, MAX_DAY } from './past.ts';
import { readArchived, readDispatches } from './journal.ts';

/** The history of a state folder, for the one who holds the lock. */
export interface HistoryWriter {
  readonly dispatched: (record: DispatchRecord) => void;
  readonly archived: (record: ArchiveRecord) => void;
  /** What a pass sees at its end. */
  readonly seen: (sight: Sight) => void;
}

/** Opens the history for writing. What is older than `keepMs` goes, at most once a day. `told` gets each event that is written. */
export function openHistory(
  stateDirectory: string,
  keepMs: number,
  told: (event: HistoryEvent) => void = () => {},
): HistoryWriter {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  const write = (events: readonly HistoryEvent[]): void => {
    append(folder, events);
    events.forEach(told);
  };
  const remember = (memory: Memory): void => replaceFile(join(folder, MEMORY), `${JSON.stringify(memory)}\n`);
  return {
    dispatched: (record) => {
      const event = dispatchedEvent(record);
      const memory = recall(stateDirectory, event.at - keepMs);
      if (knowsDispatch(memory, event)) return;
      write([event]);
      remember(withDispatch(memory, event));
    },
    archived: (record) => {
      const archived = archivedEvent(record);
      const memory = recall(stateDirectory, archived.at - keepMs);
      const event = asBegun(memory, archived);
      write([event]);
      remember(withArchived(memory, event));
    },
    seen: (sight) => {
      const before = recall(stateDirectory, sight.now - keepMs);
      const { events, memory, prune } = observed(before, sight);
      write(events);
      if (prune) removeBefore(folder, dayOf(sight.now - keepMs));
      if (JSON.stringify(memory) !== JSON.stringify(before)) remember(memory);
    },
  };
}

/** Adds what other machines wrote into theirs, to the files of its days. */
export function appendHistory(stateDirectory: string, events: readonly HistoryEvent[]): void {
  append(join(stateDirectory, HISTORY_FOLDER), events);
}

/** What the passes remember: the histograms of all time. */
export function readMemory(stateDirectory: string): Memory {
  return storedMemory(join(stateDirectory, HISTORY_FOLDER)) ?? NO_MEMORY;
}

const MEMORY = 'memory.json';
const MAX_MEMORY = 64 * 1024 * 1024;

// Without a history, what the journals tell is read in, once: the folder appears whole or not at all.
function recall(stateDirectory: string, oldest: Instant): Memory {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  const stored = storedMemory(folder);
  if (stored !== undefined) return stored;
  if (existsSync(folder)) return NO_MEMORY; // it was lost; what is in the files stays
  const events = [
    ...readDispatches(stateDirectory).map((record) => dispatchedEvent(record)),
    ...readArchived(stateDirectory).map((record) => archivedEvent(record)),
  ].toSorted((a, b) => a.at - b.at);
  let memory = NO_MEMORY;
  for (const event of events) {
    if (event.event === 'dispatched') memory = withDispatch(memory, event);
    if (event.event === 'archived') memory = withArchived(memory, event);
  }
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  createOwnFolder(draft);
  for (const [day, text] of textByDay(events.filter(({ at }) => at >= oldest))) {
    replaceFile(fileOf(draft, day), text);
  }
  replaceFile(join(draft, MEMORY), `${JSON.stringify(memory)}\n`);
  renameSync(draft, folder);
  return memory;
}

function storedMemory(folder: string): Memory | undefined {
  try {
    return parseMemory(JSON.parse(readRegularFile(join(folder, MEMORY), MAX_MEMORY) ?? ''));
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function append(folder: string, events: readonly HistoryEvent[]): void {
  for (const [day, text] of textByDay(events)) appendText(fileOf(folder, day), text);
}

function textByDay(events: readonly HistoryEvent[]): ReadonlyMap<string, string> {
  const days = new Map<string, string>();
  for (const event of events) days.set(dayOf(event.at), `${days.get(dayOf(event.at)) ?? ''}${eventLine(event)}\n`);
  return days;
}

// Not waited for until it is on the disk: a power cut may cost some seconds of history, a pass must not be slower for it.
function appendText(path: string, text: string): void {
  const { O_RDWR, O_CREAT, O_APPEND, O_NONBLOCK, O_NOFOLLOW } = constants;
  const handle = openSync(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOFOLLOW, GROUP_READS);
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile() || stat.size > MAX_DAY) return;
    giveMode(handle, stat, GROUP_READS);
    // A line that a full disk left unfinished is closed first, so that it spoils only itself.
    const last = Buffer.alloc(1);
    const isOpen = stat.size > 0 && readSync(handle, last, 0, 1, stat.size - 1) === 1 && last[0] !== 0x0a;
    writeSync(handle, isOpen ? `\n${text}` : text);
  } finally {
    closeSync(handle);
  }
}

function removeBefore(folder: string, day: string): void {
  for (const each of daysIn(folder)) if (each < day) rmSync(fileOf(folder, each), { force: true });
}
