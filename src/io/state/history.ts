// The history on the disk: `history/2026-04-09.jsonl`, one file for each day (UTC), to which passes append, and
// `history/memory.json`, what one pass leaves for the next. A pass reads no file of events, whatever there is.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Instant } from '../../core/clock.ts';
import { systemCode } from '../../core/errors.ts';
import {
  archivedEvent,
  dayOf,
  dispatchedEvent,
  eventLine,
  type HistoryEvent,
  parseEvents,
} from '../../core/history/event.ts';
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
import { createOwnFolder, fileStamp, giveMode, GROUP_READS, readRegularFile, replaceFile } from '../files.ts';
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
  const folder = join(stateDirectory, FOLDER);
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

/**
 * Answers a function that reads all events, oldest first; each call reads only the files that changed since the one before,
 * and answers the same list when none did.
 */
export function followHistory(stateDirectory: string): () => readonly HistoryEvent[] {
  const folder = join(stateDirectory, FOLDER);
  let known = new Map<string, { readonly stamp: string; readonly events: readonly HistoryEvent[] }>();
  let all: readonly HistoryEvent[] = [];
  return () => {
    const names = daysIn(folder);
    const now = new Map(
      names.map((name) => {
        const path = join(folder, name);
        const stamp = fileStamp(path);
        const before = known.get(name);
        return [name, before?.stamp === stamp ? before : { stamp, events: eventsIn(path) }];
      }),
    );
    const isSame = now.size === known.size && [...now].every(([name, day]) => known.get(name) === day);
    if (!isSame) all = [...now.values()].flatMap(({ events }) => events).toSorted((a, b) => a.at - b.at);
    known = now;
    return all;
  };
}

/** Adds what other machines wrote into theirs, to the files of its days. */
export function appendHistory(stateDirectory: string, events: readonly HistoryEvent[]): void {
  append(join(stateDirectory, FOLDER), events);
}

/** A text that is another one when something was added today, or a day's file came or went. */
export function historyFingerprint(stateDirectory: string, now: Instant): string {
  const folder = join(stateDirectory, FOLDER);
  return [folder, join(folder, `${dayOf(now)}.jsonl`)].map((path) => fileStamp(path)).join(' ');
}

/** What the passes remember: the histograms of all time. */
export function readMemory(stateDirectory: string): Memory {
  return storedMemory(join(stateDirectory, FOLDER)) ?? NO_MEMORY;
}

const FOLDER = 'history';
const MEMORY = 'memory.json';
const MAX_MEMORY = 64 * 1024 * 1024;
/** A day that is full takes no more: at one event a second it would not be. */
const MAX_DAY = 64 * 1024 * 1024;
const DAY_FILE = /^\d{4}-\d\d-\d\d\.jsonl$/u;

// Without a history, what the journals tell is read in, once: the folder appears whole or not at all.
function recall(stateDirectory: string, oldest: Instant): Memory {
  const folder = join(stateDirectory, FOLDER);
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
    replaceFile(join(draft, `${day}.jsonl`), text);
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
  for (const [day, text] of textByDay(events)) appendText(join(folder, `${day}.jsonl`), text);
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
  for (const name of daysIn(folder)) if (name < day) rmSync(join(folder, name), { force: true });
}

function daysIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => DAY_FILE.test(name))
      .toSorted();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error))) return [];
    throw error;
  }
}

function eventsIn(path: string): readonly HistoryEvent[] {
  try {
    return parseEvents(readRegularFile(path, MAX_DAY) ?? '');
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ELOOP'].includes(systemCode(error))) return [];
    throw error;
  }
}
