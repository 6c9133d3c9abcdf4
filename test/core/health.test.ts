import { describe, expect, test } from 'vitest';
import { type Cause, type Health, type TimerState } from '../../src/core/health.ts';
import { withTimer } from '../../src/core/snapshot.ts';
import type { State } from '../../src/core/state.ts';
import { healthSentence, sentenceText } from '../../src/views/health.ts';
import { aPass, aPause, aRow, aSnapshot, iso, MINUTE, NOON } from '../support/builders.ts';

const failed = (code: string): Partial<State> => ({
  lastPass: aPass({ outcome: 'failed', error: { code, message: `it was ${code}`, hint: 'mend it' } }),
  consecutiveFailures: 3,
  failingSince: iso(NOON - 3 * MINUTE),
});
const old = (minutes: number): Partial<State> => ({ lastPass: aPass({ finishedAt: iso(NOON - minutes * MINUTE) }) });

interface Row {
  readonly state: Partial<State>;
  readonly timer?: TimerState;
  readonly paused?: boolean;
  readonly health: Health;
  readonly cause: Cause;
  readonly says: RegExp;
  readonly fix: RegExp | null;
}

const TABLE: readonly Row[] = [
  {
    state: { lastPass: null },
    health: 'never_run',
    cause: 'never_run',
    says: /no pass has run yet$/u,
    fix: /dispatch --dry-run/u,
  },
  {
    state: { lastPass: null },
    timer: 'not_installed',
    health: 'never_run',
    cause: 'timer_not_installed',
    says: /and no timer is installed/u,
    fix: /^dispatcher systemd install --user --now/u,
  },
  {
    state: { lastPass: null },
    timer: 'stopped',
    health: 'never_run',
    cause: 'timer_stopped',
    says: /the timer is stopped/u,
    fix: /systemctl enable --now dispatcher\.timer/u,
  },
  {
    state: { lastPass: null },
    timer: 'active',
    health: 'never_run',
    cause: 'never_run',
    says: /do not get to their end/u,
    fix: /journalctl -u dispatcher/u,
  },
  {
    state: old(2),
    timer: 'stopped',
    health: 'late',
    cause: 'timer_stopped',
    says: /^late: last pass 2m ago.*the timer is stopped/u,
    fix: /enable --now/u,
  },
  {
    state: old(10),
    timer: 'stopped',
    health: 'stale',
    cause: 'timer_stopped',
    says: /^stale: last pass 10m ago, the timer is stopped/u,
    fix: /enable --now/u,
  },
  {
    state: old(10),
    timer: 'not_installed',
    health: 'stale',
    cause: 'timer_not_installed',
    says: /no timer is installed/u,
    fix: /systemd install/u,
  },
  {
    state: old(10),
    timer: 'active',
    health: 'stale',
    cause: 'passes_missing',
    says: /the timer runs, but/u,
    fix: /dispatcher doctor/u,
  },
  { state: old(10), timer: null, health: 'stale', cause: 'passes_missing', says: /seems to be stopped/u, fix: /cron/u },
  {
    state: failed('gitea_unreachable'),
    health: 'failing',
    cause: 'gitea_unreachable',
    says: /^failing: 3 passes in a row, since 3m: it was/u,
    fix: /^mend it$/u,
  },
  {
    state: failed('gitea_unauthorized'),
    health: 'failing',
    cause: 'token_refused',
    says: /it was gitea_unauthorized/u,
    fix: /mend it/u,
  },
  { state: failed('token_missing'), health: 'failing', cause: 'token_refused', says: /it was/u, fix: /mend it/u },
  { state: failed('template_invalid'), health: 'failing', cause: 'pass_failing', says: /it was/u, fix: /mend it/u },
  {
    state: { lastPass: aPass() },
    paused: true,
    health: 'paused',
    cause: 'paused',
    says: /^paused since 1h, by ana: release freeze/u,
    fix: /^dispatcher resume$/u,
  },
  {
    state: { lastPass: aPass({ outcome: 'idle', ref: null, rows: [] }) },
    health: 'ok',
    cause: 'nothing_to_do',
    says: /^ok: .* ago, nothing to do$/u,
    fix: null,
  },
  {
    state: { lastPass: aPass({ outcome: 'idle', ref: null, rows: [aRow({ outcome: 'skipped', reason: 'held' })] }) },
    health: 'ok',
    cause: 'everything_held',
    says: /nothing to dispatch: held 1$/u,
    fix: null,
  },
  {
    state: { lastPass: aPass({ outcome: 'idle', ref: null, rows: [aRow({ outcome: 'next' })] }) },
    health: 'ok',
    cause: 'dispatching',
    says: /nothing dispatched$/u,
    fix: null,
  },
];

describe('why nothing moves', () => {
  test.for(TABLE)(
    '$health, timer $timer: $cause',
    ({ state, timer = null, paused = false, health, cause, says, fix }) => {
      const snapshot = withTimer(aSnapshot(state, [], ['hans'], paused ? [aPause()] : []), timer);
      const sentence = healthSentence(snapshot);
      expect({ health: snapshot.health, cause: snapshot.cause }).toEqual({ health, cause });
      expect(sentenceText(sentence.parts, NOON)).toMatch(says);
      expect(sentence.fix).toEqual(fix === null ? null : expect.stringMatching(fix));
    },
  );
});
