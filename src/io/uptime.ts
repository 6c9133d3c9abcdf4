import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Uptime } from '../core/clock.ts';

/** How long the machine has been up, in steps of 10 ms; null where it has no name for each of its starts (not Linux). */
export function readUptime(): Uptime | null {
  try {
    return { bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), ms: uptime() * 1000 };
  } catch {
    return null;
  }
}

/** Milliseconds that go on evenly, whatever the clock is set to, and also while the machine sleeps. */
export function ticks(): number {
  return uptime() * 1000;
}
