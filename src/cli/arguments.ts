// What people type behind an option, parsed. Each throws commander's error for a wrong one.

import { InvalidArgumentError } from 'commander';

/** `5` or `#5`. */
export function issueNumber(text: string): number {
  const number = Number(text.replace(/^#/u, ''));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be the number of an issue, such as 5.');
  return number;
}

/** Milliseconds of `30m`, `2h`, `3d`. */
export function durationMs(text: string): number {
  const [, count, unit = ''] = /^(\d+)\s*([smhd])$/u.exec(text) ?? [];
  const ms = Number(count) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 0) * 1000;
  if (!(ms > 0)) throw new InvalidArgumentError('It must be a time such as 30m, 2h or 3d.');
  return ms;
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
