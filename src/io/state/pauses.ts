// A file for each pause, so that pausing never waits for a running pass and never meets another writer half-way:
// <state>/pauses/all.json and <state>/pauses/agent-hans.json

import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { brokenPause, parsePause, type Pause } from '../../core/state/pause.ts';
import { isSafeFolderName } from '../../core/task/file-name.ts';
import { createOwnFolder, readRegularFile, replaceFile } from '../files.ts';

const FOLDER = 'pauses';
const ALL = 'all.json';

/** Every pause on record, also those that are over. What cannot be read holds. */
export function readPauses(stateDirectory: string): readonly Pause[] {
  let names: readonly string[];
  try {
    names = readdirSync(join(stateDirectory, FOLDER));
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? [] : [brokenPause(null)];
  }
  return names.flatMap((name) => {
    const agent = agentOf(name);
    return agent === undefined ? [] : readPause(join(stateDirectory, FOLDER, name), agent);
  });
}

/** Records a pause, over an earlier one of the same agent. Throws exit 1 when it cannot be written. */
export function writePause(stateDirectory: string, pause: Pause): void {
  try {
    createOwnFolder(stateDirectory);
    createOwnFolder(join(stateDirectory, FOLDER));
    replaceFile(pathOf(stateDirectory, pause.agent), `${JSON.stringify(pause)}\n`, { isLocked: false });
  } catch (error) {
    throw unwritable(stateDirectory, error);
  }
}

/** Takes a pause back; false when there was none. Throws exit 1 when it cannot be removed. */
export function removePause(stateDirectory: string, agent: string | null): boolean {
  try {
    unlinkSync(pathOf(stateDirectory, agent));
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw unwritable(stateDirectory, error);
  }
}

function readPause(path: string, agent: string | null): readonly Pause[] {
  try {
    return [parsePause(JSON.parse(readRegularFile(path, 65_536) ?? ''), agent)];
  } catch (error) {
    // Taken back at this very moment.
    return systemCode(error) === 'ENOENT' ? [] : [brokenPause(agent)];
  }
}

// Undefined: not a pause record, such as the draft of one.
function agentOf(name: string): string | null | undefined {
  if (name === ALL) return null;
  const [, agent] = /^agent-(.+)\.json$/u.exec(name) ?? [];
  return agent !== undefined && isSafeFolderName(agent) ? agent : undefined;
}

function pathOf(stateDirectory: string, agent: string | null): string {
  return join(stateDirectory, FOLDER, agent === null ? ALL : `agent-${agent}.json`);
}

function unwritable(stateDirectory: string, error: unknown): UserError {
  return new UserError(`the pause record in ${join(stateDirectory, FOLDER)} cannot be changed: ${messageOf(error)}`, {
    exitCode: EXIT.failure,
    code: 'state_unwritable',
    hint: 'let this user write there, or run the command as the user the timer runs as',
    cause: error,
  });
}
