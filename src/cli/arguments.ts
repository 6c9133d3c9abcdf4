// What people type behind an option, parsed. Each throws commander's error for a wrong one.

import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../core/clock.ts';

export interface IssueArgument {
  readonly number: number;
  /** Null when only the number was typed. */
  readonly repository: string | null;
}

/** `5`, `#5` or `acme/app#5`; where there are several servers `team:acme/app#5` as well. */
export function issueArgument(text: string): IssueArgument {
  const [, repository = null, digits] = /^(?:([^\s/#]+\/[^\s/#]+)?#)?(\d+)$/u.exec(text) ?? [];
  const number = Number(digits);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be an issue, such as 5 or acme/app#5.');
  return { number, repository };
}

/** Milliseconds of `30m`, `2h`, `3d`; at most ten years. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0) throw new InvalidArgumentError('It must be a time such as 30m, 2h or 3d.');
  return ms;
}

/** The number of a process. */
export function processNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,10}$/u.test(text) || number < 1) throw new InvalidArgumentError('It must be the number of a process.');
  return number;
}

/** A TCP port; 0 for any that is free. */
export function portNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new InvalidArgumentError('It must be a port, such as 8098.');
  return number;
}

/** One of these words. */
export function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    if (!words.includes(text)) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
    return text;
  };
}
