// A clock that is wrong, for one process: libfaketime in its environment. The wrapper `faketime` is asked only where the library
// is: it makes a semaphore named after its process, and fails when one that was killed had the same number before.

import { spawnSync } from 'node:child_process';

/** What a process has that nobody asks for its files' times, and whose durations stay true. */
const ONLY_THE_CLOCK = { FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };

let known: string | null | undefined;

function library(): string | null {
  for (let attempt = 0; known === undefined && attempt < 5; attempt += 1) {
    const { status, stdout } = spawnSync('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
    if (status === 0) known = stdout.trim();
  }
  known ??= null;
  return known;
}

/** Why no clock can be wrong here; null when one can. */
export function noFaketime(): string | null {
  return library() === null ? 'faketime is missing' : null;
}

/** The environment of a process whose clock is wrong by that, as faketime takes it (`-1h`, `+1d x1000`). */
export function clockWrongBy(offset: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: library() ?? '', FAKETIME: offset, ...ONLY_THE_CLOCK };
}

/** The environment of a process whose clock says what stands in that file, whenever it is asked. */
export function clockOf(file: string): Readonly<Record<string, string>> {
  const reading = { FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', TZ: 'UTC' };
  return { LD_PRELOAD: library() ?? '', ...reading, ...ONLY_THE_CLOCK };
}
