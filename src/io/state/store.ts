import { lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Instant, toRfc3339 } from '../../core/clock.ts';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { EMPTY_STATE, newerVersion, parseState, type State } from '../../core/state/state.ts';
import { fileStamp, readRegularFile, replaceFile } from '../files.ts';

const FILE = 'state.json';
const MAX_BYTES = 64 * 1024 * 1024;

export interface StoredState {
  readonly state: State;
  /** `missing`: there is no state file. `broken`: there is one that cannot be used. */
  readonly found: 'whole' | 'missing' | 'broken';
}

/** Reads the state file. Throws exit 1 when a newer dispatcher wrote it, or when it may not be read. */
export function readState(stateDirectory: string): StoredState {
  const path = join(stateDirectory, FILE);
  let text: string | undefined;
  try {
    text = readRegularFile(path, MAX_BYTES);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { state: EMPTY_STATE, found: 'missing' };
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
  return state ? { state, found: 'whole' } : { state: EMPTY_STATE, found: 'broken' };
}

/** A text that is another one when the state, the journal or the pauses became other ones. */
export function stateFingerprint(stateDirectory: string): string {
  return [FILE, 'dispatches.jsonl', 'pauses'].map((name) => fileStamp(join(stateDirectory, name))).join(' ');
}

/** Replaces the state file at once. */
export function writeState(stateDirectory: string, state: State): void {
  try {
    replaceFile(join(stateDirectory, FILE), `${JSON.stringify(state)}\n`);
  } catch (error) {
    throw new UserError(`the state file in ${stateDirectory} cannot be written: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'state_unwritable',
      hint:
        systemCode(error) === 'ENOSPC'
          ? 'the disk is full: make room; nothing is dispatched until the time of a dispatch can be recorded'
          : 'let this user write there; nothing is dispatched until the time of a dispatch can be recorded',
      cause: error,
    });
  }
}

/** Keeps a broken state file under another name beside it, and answers that name. */
export function setAside(stateDirectory: string, now: Instant): string {
  const path = join(stateDirectory, FILE);
  const stamp = toRfc3339(now).replaceAll(/[:.]/gu, '-');
  for (let number = 1; ; number += 1) {
    const kept = `${path}.broken-${stamp}${number === 1 ? '' : `.${number}`}`;
    if (lstatSync(kept, { throwIfNoEntry: false })) continue;
    renameSync(path, kept);
    return kept;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
