// The state folder's own files: state.json (what the next pass needs) and candidates.json (what the last one decided, written when
// that changes). How it went is heartbeat.ts, what it is at trying.ts. All are small, whatever is open.

import { accessSync, constants, lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fromRfc3339, type Instant, toRfc3339 } from '../../core/clock.ts';
import type { Config } from '../../core/config/config.ts';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { serverOf } from '../../core/issue/identity.ts';
import { type DecisionRecord, NO_DECISION, parseDecision } from '../../core/state/decision-record.ts';
import { type Heartbeat, NO_PASSES, type PassHistory } from '../../core/state/last-pass.ts';
import { EMPTY_STATE, newerVersion, parseState, type State } from '../../core/state/state.ts';
import { fromVersion1 } from '../../core/state/version-1.ts';
import { fileStamp, NOBODY_ELSE, readRegularFile, replaceFile } from '../files.ts';
import { MACHINES } from './machines.ts';
import { readDispatches } from './journal.ts';
import { heartbeatStamp, markUnrecorded, readHeartbeat, writeHeartbeat } from './heartbeat.ts';

const STATE = 'state.json';
const DECISION = 'candidates.json';
const MAX_BYTES = 64 * 1024 * 1024;

type Place = Pick<Config, 'stateDirectory' | 'servers'>;

interface StoredState {
  readonly state: State;
  /** `missing`: there is no state file. `broken`: there is one that cannot be used. */
  readonly found: 'whole' | 'missing' | 'broken';
}

/** What a pass needs of the state folder. */
export interface StateStore {
  /** Throws exit 1 when a newer dispatcher wrote it, or when it may not be read. */
  readonly read: () => StoredState;
  /** Replaces the state file at once, and waits until it is on the disk. Throws exit 1 when it cannot be written. */
  readonly write: (state: State) => void;
  /** Keeps a broken state file under another name beside it, and answers that name. */
  readonly setAside: (now: Instant) => string;
  /** How the last pass went; null when none is known. */
  readonly heartbeat: () => Heartbeat | null;
  /** What was decided last, as far as it can be read. */
  readonly decision: () => DecisionRecord;
  /** Records a pass. `decision` null: it is as before. */
  readonly writeHeartbeat: (heartbeat: Heartbeat, decision: DecisionRecord | null) => void;
}

/** The state folder of a configuration. */
export function openState(config: Place): StateStore {
  const path = (name: string): string => join(config.stateDirectory, name);
  return {
    read: () => readStored(config).stored,
    write: (state) => {
      try {
        replaceFile(path(STATE), `${JSON.stringify(state)}\n`, { mode: NOBODY_ELSE });
      } catch (error) {
        throw unwritable(config, error);
      }
    },
    setAside: (now) => setAside(path(STATE), now),
    heartbeat: () => readHeartbeat(config.stateDirectory),
    decision: () => readDecision(config),
    writeHeartbeat: (heartbeat, decision) => {
      try {
        // It goes first: a heartbeat that names another one would keep it from being written again.
        if (decision) replaceFile(path(DECISION), `${JSON.stringify(decision)}\n`);
        writeHeartbeat(config.stateDirectory, heartbeat);
      } catch (error) {
        markUnrecorded(config.stateDirectory);
        throw unwritable(config, error);
      }
    },
  };
}

/** What is known of the passes so far. Throws exit 1 as `read` does. */
export function readPassHistory(config: Place): {
  readonly state: PassHistory;
  readonly found: StoredState['found'];
} {
  const { stored, old } = readPublished(config) ?? readStored(config);
  const { lastDispatch } = stored.state;
  const heartbeat = readHeartbeat(config.stateDirectory);
  if (!heartbeat) return { state: { ...(old ?? NO_PASSES), lastDispatch }, found: stored.found };
  const { lastPass, lastSuccessAt, consecutiveFailures, failingSince, away } = heartbeat;
  return {
    state: {
      lastDispatch,
      lastPass: { ...lastPass, ...readDecision(config) },
      lastSuccessAt,
      consecutiveFailures,
      failingSince,
      ...(away ? { away } : {}),
    },
    found: stored.found,
  };
}

/** A text that is another one when the state, the journal or the pauses became other ones. */
export function stateFingerprint(stateDirectory: string): string {
  const others = [STATE, 'dispatches.jsonl', 'pauses', MACHINES].map((name) => fileStamp(join(stateDirectory, name)));
  return [heartbeatStamp(stateDirectory), ...others].join(' ');
}

// The state is the dispatcher's alone. Who may only read what is published beside it learns there when the last dispatch was:
// from the last pass, or the journal, which knows an override since. Null: who asks may read the state, or not even enter.
function readPublished(config: Place): ReturnType<typeof readStored> | null {
  const { stateDirectory } = config;
  const path = join(stateDirectory, STATE);
  if (canRead(path) || !canRead(stateDirectory)) return null;
  const last = readDispatches(stateDirectory).at(-1);
  const [at] = [readHeartbeat(stateDirectory)?.lastDispatchAt, last?.at]
    .filter((each) => each != null)
    .toSorted(latestFirst);
  const lastDispatch = at == null ? null : { at, ref: last?.ref ?? null, pending: null, uptime: null };
  return { stored: { state: { ...EMPTY_STATE, lastDispatch }, found: 'whole' }, old: null };
}

function latestFirst(a: string, b: string): number {
  return (fromRfc3339(b) ?? 0) - (fromRfc3339(a) ?? 0);
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}

function readStored(config: Place): { readonly stored: StoredState; readonly old: PassHistory | null } {
  const path = join(config.stateDirectory, STATE);
  let text: string | undefined;
  try {
    text = readRegularFile(path, MAX_BYTES);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { stored: { state: EMPTY_STATE, found: 'missing' }, old: null };
    throw new UserError(`the state file ${path} cannot be read: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'state_unreadable',
      hint: 'let this user read it, or run the command as the user the timer runs as',
      cause: error,
    });
  }
  const raw = text === undefined ? undefined : parsed(text);
  const newer = newerVersion(raw);
  if (newer !== undefined) {
    throw new UserError(`the state file ${path} was written by a newer dispatcher (version ${newer} of its form)`, {
      exitCode: EXIT.failure,
      code: 'state_newer',
      hint: 'install that version again, or move the state file away',
    });
  }
  const state = parseState(raw);
  if (state) return { stored: { state, found: 'whole' }, old: null };
  const old = fromVersion1(raw, serverOf(config.servers[0].url));
  return old
    ? { stored: { state: old.state, found: 'whole' }, old: old.history }
    : { stored: { state: EMPTY_STATE, found: 'broken' }, old: null };
}

// What cannot be read is not known: nothing hangs on it but a look back.
function readDecision({ stateDirectory }: Place): DecisionRecord {
  return parseDecision(readJson(join(stateDirectory, DECISION))) ?? NO_DECISION;
}

function readJson(path: string): unknown {
  try {
    return parsed(readRegularFile(path, MAX_BYTES) ?? '');
  } catch {
    return undefined;
  }
}

function setAside(path: string, now: Instant): string {
  const stamp = toRfc3339(now).replaceAll(/[:.]/gu, '-');
  for (let number = 1; ; number += 1) {
    const kept = `${path}.broken-${stamp}${number === 1 ? '' : `.${number}`}`;
    if (lstatSync(kept, { throwIfNoEntry: false })) continue;
    renameSync(path, kept);
    return kept;
  }
}

function unwritable({ stateDirectory }: Place, error: unknown): UserError {
  return new UserError(`the state file in ${stateDirectory} cannot be written: ${messageOf(error)}`, {
    exitCode: EXIT.failure,
    code: 'state_unwritable',
    hint:
      systemCode(error) === 'ENOSPC'
        ? 'the disk is full: make room; nothing is dispatched until the time of a dispatch can be recorded'
        : 'let this user write there; nothing is dispatched until the time of a dispatch can be recorded',
    cause: error,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
