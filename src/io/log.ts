import { closeSync, constants, existsSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../core/config/config.ts';
import { messageOf } from '../core/errors.ts';
import { jsonLine, journalPrefix, type LogEvent, textLine } from '../core/health/log-event.ts';
import { createFolders, giveMode, GROUP_READS } from './files.ts';

interface LogOptions {
  readonly config: Pick<Config, 'logFile' | 'logFormat'>;
  /** Epoch milliseconds with a fraction: the six digits of the stamp are real. */
  readonly now: () => number;
  /** Where lines go besides the file. */
  readonly print: (line: string) => void;
  /** Whether what is printed goes to the journal, which takes the level from a prefix. */
  readonly toJournal: boolean;
  /** Told once when the file cannot be written: a lost log line is no reason to lose a dispatch. */
  readonly warn: (message: string) => void;
}

export type Log = (event: LogEvent) => void;

/** A log that writes each event to the file and prints it. The file is opened for each line: it can be rotated at any time. */
export function createLog({ config, now, print, toJournal, warn }: LogOptions): Log {
  let warned = false;
  return (event) => {
    const line = config.logFormat === 'json' ? jsonLine(event, now()) : textLine(event, now());
    // An error goes to stderr with its remedy, when the command ends.
    if (event.name !== 'ERROR') print(toJournal ? journalPrefix(event) + line : line);
    try {
      setAsideOther(config);
      append(config.logFile, `${line}\n`);
    } catch (error) {
      if (!warned) warn(`the log file cannot be written: ${messageOf(error)}`);
      warned = true;
    }
  };
}

/** Whether a stream of this process is the journal's: systemd names its device and inode, since variables are inherited. */
export function isJournal(fd: number, environment: NodeJS.ProcessEnv): boolean {
  const named = environment['JOURNAL_STREAM'];
  if (!named) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

// What reads JSON stumbles over a line of text, and the other way round: after a switch, the file begins anew.
function setAsideOther({ logFile, logFormat }: LogOptions['config']): void {
  const first = firstByteOf(logFile);
  if (first === null || (first === '{') === (logFormat === 'json')) return;
  const kept = `${logFile}.${first === '{' ? 'json' : 'text'}`;
  // One that is there already is kept: then the lines stand in one file, as they come.
  if (!existsSync(kept)) renameSync(logFile, kept);
}

function firstByteOf(file: string): string | null {
  const handle = openUnlessMissing(file);
  if (handle === null) return null;
  try {
    const first = Buffer.alloc(1);
    const isRead = fstatSync(handle).isFile() && readSync(handle, first, 0, 1, 0) === 1;
    return isRead ? first.toString('latin1') : null;
  } finally {
    closeSync(handle);
  }
}

function openUnlessMissing(file: string): number | null {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return null; // appending says what is the matter
  }
}

function append(file: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NONBLOCK, O_NOFOLLOW } = constants;
  createFolders(dirname(file));
  // Non-blocking: a pipe that nobody reads must not hold up the pass. No link: agents may write in this folder.
  const handle = openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOFOLLOW, GROUP_READS);
  try {
    // An earlier version, or a hand, may have left it open to more.
    const stat = fstatSync(handle);
    giveMode(handle, stat, stat.mode & GROUP_READS);
    writeSync(handle, text);
  } finally {
    closeSync(handle);
  }
}
