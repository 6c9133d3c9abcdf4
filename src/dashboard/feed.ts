// What all open pages look at: the newest picture of the local files, and the end of the log. The files are looked at a few
// times a second while somebody listens, and on demand otherwise. Nothing is watched, so nothing can leak or go stale.

import { type LogLine, parseLogLine } from '../core/health/log-event.ts';
import { maskSecrets } from '../core/task/secrets.ts';
import { nextChangeAt } from '../core/health/snapshot.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { DashboardDeps, Local } from './dashboard-deps.ts';

/** A line of the log, masked. `position` names the place behind it. */
export interface FeedLine extends LogLine {
  readonly position: string;
  /** The whole line as it stands in the file, masked and cleaned. */
  readonly text: string;
}

export interface Feed {
  /** The picture of this moment, at most a second old. */
  readonly picture: () => Local;
  /** Another text when another page would be rendered. */
  readonly version: () => string;
  /** The last lines of the log, oldest first. */
  readonly lines: () => readonly FeedLine[];
  /** The lines after a position, all of them after an empty one; null when that place is not known (any more). */
  readonly linesAfter: (position: string) => readonly FeedLine[] | null;
  /** The place behind the last line; an empty text when there is no line. */
  readonly position: () => string;
  readonly subscribe: () => Subscription;
}

type FeedDeps = Pick<DashboardDeps, 'now' | 'sleep' | 'fingerprint' | 'look' | 'newLogLines'>;

interface Subscription {
  /** Resolves when there is something new, or after so many milliseconds, or when it is closed. */
  readonly next: (ms: number) => Promise<void>;
  readonly close: () => void;
}

const POLL_MS = 300;
const FRESH_MS = 1000;
const LINES_KEPT = 2000;

/** Starts to look when somebody asks or listens. */
export function createFeed(deps: FeedDeps): Feed {
  const looker = createLooker(deps);
  const log = createLogEnd(deps);
  const listeners = new Set<Listener>();
  let isPolling = false;

  const poll = async (): Promise<void> => {
    isPolling = true;
    while (listeners.size > 0) {
      await deps.sleep(POLL_MS);
      const hasNewLines = log.read();
      const isNew = looker.look(Number.POSITIVE_INFINITY) || hasNewLines;
      const now = deps.now();
      // Before it began: the clock was put back.
      for (const listener of listeners) if (isNew || now >= listener.until || now < listener.since) listener.wake();
    }
    isPolling = false;
  };

  return {
    picture: () => {
      log.read();
      looker.look(FRESH_MS);
      return looker.local();
    },
    version: looker.version,
    lines: log.lines,
    linesAfter: (position) => {
      const lines = log.lines();
      if (position === lines.at(-1)?.position) return [];
      if (position === '') return lines;
      const index = lines.findIndex((line) => line.position === position);
      return index < 0 ? null : lines.slice(index + 1);
    },
    position: () => log.lines().at(-1)?.position ?? '',
    subscribe: () => {
      const listener: Listener = { since: 0, until: 0, wake: () => {}, missed: false };
      listeners.add(listener);
      if (!isPolling) void poll();
      return subscription(listener, listeners, deps);
    },
  };
}

// Looks at the local files, but only where they can have become other ones.
function createLooker(deps: FeedDeps) {
  const started = Math.round(deps.now()).toString(36);
  let seen = '';
  let count = 0;
  let local = deps.look(true);
  let lookedAt = deps.now();
  return {
    local: () => local,
    version: () => `${started}.${count}`,
    /** Looks when a file or the time makes another picture, or when the last look is too long ago. True when it is another one. */
    look: (maxAgeMs: number): boolean => {
      const now = deps.now();
      const fingerprint = deps.fingerprint();
      const isChanged = fingerprint !== seen;
      // A clock that was put back makes another picture as well.
      const isDue = now < lookedAt || (local.kind === 'snapshot' && now >= nextChangeAt(local.snapshot));
      if (isChanged || isDue || now - lookedAt >= maxAgeMs) {
        local = deps.look(isChanged);
        lookedAt = now;
        seen = fingerprint;
      }
      if (isChanged || isDue) count += 1;
      return isChanged || isDue;
    },
  };
}

// Keeps the last lines of the log.
function createLogEnd(deps: FeedDeps) {
  let lines: readonly FeedLine[] = [];
  return {
    lines: () => lines,
    /** Reads what was added; true when there is something new. */
    read: (): boolean => {
      const news = deps.newLogLines();
      if (!news.restarted && news.lines.length === 0) return false;
      lines = [...(news.restarted ? [] : lines), ...news.lines.map((line) => feedLine(line))].slice(-LINES_KEPT);
      return true;
    },
  };
}

interface Listener {
  /** When it began to wait, and till when it waits. */
  since: number;
  until: number;
  wake: () => void;
  /** News that came while nobody was waiting for it. */
  missed: boolean;
}

function subscription(listener: Listener, listeners: Set<Listener>, deps: FeedDeps): Subscription {
  const idle = (): void => {
    listener.missed = true;
  };
  listener.wake = idle;
  return {
    next: async (ms) => {
      if (listener.missed || !listeners.has(listener)) {
        listener.missed = false;
        return;
      }
      await new Promise<void>((resolve) => {
        listener.since = deps.now();
        listener.until = listener.since + ms;
        listener.wake = resolve;
      });
      listener.wake = idle;
      listener.since = Number.NEGATIVE_INFINITY;
      listener.until = Number.POSITIVE_INFINITY;
    },
    close: () => {
      listeners.delete(listener);
      listener.wake();
    },
  };
}

function feedLine({ position, text }: { readonly position: string; readonly text: string }): FeedLine {
  const masked = maskSecrets(text);
  return { position, text: cleanLine(masked, 2000), ...parseLogLine(masked) };
}
