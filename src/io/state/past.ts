// The history as it is read: by reports at once, by the dashboard again and again.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Instant } from '../../core/clock.ts';
import { systemCode } from '../../core/errors.ts';
import { dayOf, type HistoryEvent } from '../../core/history/event.ts';
import { eventsOfDay } from '../../core/history/lines.ts';
import { type OpenPast, openPast, type Past, tell, told } from '../../core/history/past.ts';
import { fileStamp, readRegularFile } from '../files.ts';

/** The folder of its files in the state folder. */
export const HISTORY_FOLDER = 'history';
/** A day that is full takes no more: at one event a second it would not be. */
export const MAX_DAY = 64 * 1024 * 1024;

/** Reads all events, oldest first. */
export function readHistory(stateDirectory: string): readonly HistoryEvent[] {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  return daysIn(folder).flatMap((day) => eventsIn(folder, day));
}

/** Reads what they tell together, a day at a time. */
export function readPast(stateDirectory: string): Past {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  return told(pastOf(folder, daysIn(folder)));
}

/** More days than these are not told anew at each change. */
const MOST_FRESH = 7;
/** What comes late is of yesterday: a task was moved at midnight, or another machine tells of it. */
const LEAST_FRESH = 2;

/**
 * Answers a function that reads what they tell together, and the same answer when no file is another one than at the call before.
 * What the last days tell is told anew when one of them changed; what was before them is kept as it was told, until one of its
 * files changes.
 */
export function followPast(stateDirectory: string): () => Past {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  let known: ReadonlyMap<string, string> = new Map();
  let settled: readonly string[] = [];
  let before = openPast();
  let fresh: ReadonlyMap<string, readonly HistoryEvent[]> = new Map();
  let answer = told(before);
  return () => {
    const days = daysIn(folder);
    const stamps = new Map(days.map((day) => [day, fileStamp(fileOf(folder, day))]));
    const isKnown = (day: string): boolean => known.get(day) === stamps.get(day);
    if (days.length === known.size && days.every(isKnown)) return answer;
    const isSettled = settled.every((day, index) => day === days[index] && isKnown(day));
    if (!isSettled || days.length - settled.length > MOST_FRESH) {
      const changed = days.findIndex((day) => known.has(day) && !isKnown(day));
      settled = days.slice(0, Math.max(0, Math.min(days.length - LEAST_FRESH, changed === -1 ? days.length : changed)));
      before = pastOf(folder, settled);
    }
    fresh = new Map(
      days.slice(settled.length).map((day) => {
        const same = isKnown(day) ? fresh.get(day) : undefined;
        return [day, same ?? eventsIn(folder, day)];
      }),
    );
    const past = openPast(before);
    for (const events of fresh.values()) tell(past, events);
    answer = told(past);
    known = stamps;
    return answer;
  };
}

/** A text that is another one when something was added today or yesterday, or the file of a day came, went or was replaced. */
export function historyFingerprint(stateDirectory: string, now: Instant): string {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  const days = [dayOf(now - DAY_MS), dayOf(now)];
  return [folder, ...days.map((day) => fileOf(folder, day))].map((path) => fileStamp(path)).join(' ');
}

const DAY_MS = 86_400_000;
const DAY_FILE = /^(\d{4}-\d\d-\d\d)\.jsonl$/u;

/** The days of which there are events, in their order. */
export function daysIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .flatMap((name) => DAY_FILE.exec(name)?.[1] ?? [])
      .toSorted();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error))) return [];
    throw error;
  }
}

/** Where the events of a day are. */
export function fileOf(folder: string, day: string): string {
  return join(folder, `${day}.jsonl`);
}

function pastOf(folder: string, days: readonly string[]): OpenPast {
  const past = openPast();
  for (const day of days) tell(past, eventsIn(folder, day));
  return past;
}

function eventsIn(folder: string, day: string): readonly HistoryEvent[] {
  try {
    return eventsOfDay(readRegularFile(fileOf(folder, day), MAX_DAY) ?? '', day);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ELOOP'].includes(systemCode(error))) return [];
    throw error;
  }
}
