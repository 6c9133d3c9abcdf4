import { describe, expect, test } from 'vitest';
import { type Heartbeat, nextHeartbeat } from '../../../src/core/state/last-pass.ts';
import { aPass, iso, NOON } from '../../support/builders.ts';

describe('a finished pass', () => {
  const began = iso(NOON - 40_000);
  const after = (before: Heartbeat | null, pass: Parameters<typeof aPass>[0]): Heartbeat => {
    const { rows: _rows, rest: _rest, ...record } = aPass(pass);
    return nextHeartbeat(before, record, { rows: 'r', strangers: [], basis: null });
  };

  test('counts failures in a row, since when, and forgets them with the first good one', () => {
    const one = after(null, { outcome: 'failed' });
    expect(one).toMatchObject({ consecutiveFailures: 1, failingSince: began, lastSuccessAt: null });
    const two = after(one, { outcome: 'failed', startedAt: iso(NOON) });
    expect(two).toMatchObject({ consecutiveFailures: 2, failingSince: began });
    const good = after(two, {});
    expect(good).toMatchObject({ consecutiveFailures: 0, failingSince: null, lastSuccessAt: aPass().finishedAt });
    expect(after(good, { outcome: 'failed' }).lastSuccessAt).toBe(aPass().finishedAt);
  });
});
