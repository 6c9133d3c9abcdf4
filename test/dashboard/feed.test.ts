import { expect, test, vi } from 'vitest';
import { createFeed } from '../../src/dashboard/feed.ts';
import { snapshotOf } from '../../src/core/health/snapshot.ts';
import { aConfig, aPass, iso, MINUTE, NOON } from '../support/builders.ts';
import { NO_PASSES } from '../../src/core/state/last-pass.ts';

test('when the clock is put back an hour, an open page is told, and sees another picture, at once', async () => {
  let now = NOON;
  const state = { ...NO_PASSES, lastPass: aPass({ finishedAt: iso(NOON - 50 * MINUTE) }) };
  const sources = { config: aConfig(), version: '1', state, pauses: [], files: [], dispatches: [], warnings: [] };
  const feed = createFeed({
    now: () => now,
    sleep: async () => new Promise((resolve) => setTimeout(resolve, 1)),
    fingerprint: () => 'the same',
    look: () => ({
      kind: 'snapshot',
      snapshot: snapshotOf({ ...sources, stallOf: () => null, midnight: NOON - 720 * MINUTE }, now),
    }),
    newLogLines: () => ({ lines: [], restarted: false }),
  });
  feed.picture();
  const subscription = feed.subscribe();
  await subscription.next(0); // begins to wait
  const seen = feed.version();
  let isTold = false;
  const told = subscription.next(15_000).then(() => (isTold = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isTold).toBe(false);
  now = NOON - 60 * MINUTE;
  await vi.waitFor(() => expect(isTold).toBe(true));
  expect(feed.version()).not.toBe(seen);
  expect(feed.picture()).toMatchObject({ snapshot: { health: 'ok', generatedAt: iso(now) } });
  subscription.close();
  await told;
});
