// The clock: set forward and back, between passes and while one runs; a pass that stands still and goes on.

import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'vitest';
import { finished } from '../support/command.ts';
import { clockWrongBy, noFaketime } from '../support/faketime.ts';
import { brokenAfterwards, conclude, office, sampled, shell, together } from './experiment.ts';

const lacking = noFaketime();

/** What the clock says at each of the passes, one right after the other, as faketime takes it; then it is right again. */
const JUMPS: readonly (readonly string[])[] = [
  ['+0s', '+1h'],
  ['+0s', '+1d'],
  ['+0s', '+10y'],
  ['+0s', '-1h'],
  ['+0s', '-1d'],
  ['+0s', '-10y'],
  ['+1h', '+0s'],
  ['+10y', '+0s'],
  ['-10y', '+0s'],
  ['+1h', '-1h', '+1h'],
  ['+10y', '-10y', '+1d'],
  ['-1d', '+1d', '-1d'],
  ['+5s', '-5s', '+5s'],
  // It runs faster and slower while the pass runs.
  ['+0s x3600', '+0s x3600'],
  ['+1d x1000', '-1d x1000'],
  ['+0s x0.1', '+0s x10'],
];
/** Longer than what a pass waits for, so that passes are refused as well. */
const RATE_MS = 6000;

test.skipIf(lacking !== null)('the clock is set between passes, and while they run', async (context) => {
  const found = await together(
    JUMPS,
    async (jumps) => {
      const at = await office([1, 2, 3], '', RATE_MS);
      const passes = [];
      for (const jump of jumps) {
        // The files keep their true times, as they do when a clock is set; what measures durations is not the clock.
        passes.push(await finished(shell(at, 'exec "$@"', clockWrongBy(jump))));
      }
      const failed = passes.filter(({ code }) => code !== 0).map(({ code, stderr }) => `exit ${code}: ${stderr}`);
      await wait(RATE_MS - 4000);
      const due = ['hans 1', 'hans 2'];
      const broken = [...failed, ...(await brokenAfterwards(at, passes, { rateLimitMs: RATE_MS, due }))];
      return broken.map((what) => `${jumps.join(', then ')}: ${what}`);
    },
    8,
  );
  conclude(context, 'a clock that jumps by up to ten years', JUMPS.length, found);
});

test('a pass stands still for longer than a window, and goes on', async (context) => {
  const moments = sampled(Array.from({ length: 30 }, (_, index) => index * 8));
  const found = await together(
    moments,
    async (ms) => {
      const at = await office();
      const child = at.start([]);
      const end = finished(child);
      await wait(ms);
      child.kill('SIGSTOP');
      const other = await at.run([]);
      await wait(1100);
      const another = await at.run([]);
      child.kill('SIGCONT');
      return (await brokenAfterwards(at, [await end, other, another])).map((what) => `stopped after ${ms} ms: ${what}`);
    },
    6,
  );
  conclude(context, 'a pass that stands still and goes on', moments.length, found);
});
