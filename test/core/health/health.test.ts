import { describe, expect, test } from 'vitest';
import {
  type Cause,
  causeOf,
  type Health,
  healthChanges,
  healthOf,
  isAboutTimer,
  overdue,
  type TimerState,
} from '../../../src/core/health/health.ts';
import { withTimer } from '../../../src/core/health/snapshot.ts';
import type { PassHistory } from '../../../src/core/state/last-pass.ts';
import { healthSentence, sentenceText } from '../../../src/views/health.ts';
import { aPass, aPause, aRow, aSnapshot, iso, MINUTE, NOON } from '../../support/builders.ts';

const failed = (code: string): Partial<PassHistory> => ({
  lastPass: aPass({ outcome: 'failed', error: { code, message: `it was ${code}`, hint: 'mend it' } }),
  consecutiveFailures: 3,
  failingSince: iso(NOON - 3 * MINUTE),
});
const old = (minutes: number): Partial<PassHistory> => ({
  lastPass: aPass({ finishedAt: iso(NOON - minutes * MINUTE) }),
});

interface Row {
  readonly state: Partial<PassHistory>;
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
  test.for([
    { scope: 'system', timer: 'stopped', fix: 'sudo systemctl enable --now dispatcher-acme.timer' },
    { scope: 'user', timer: 'stopped', fix: 'systemctl --user enable --now dispatcher-acme.timer' },
    {
      scope: 'user',
      timer: 'active',
      fix: 'dispatcher doctor; what the passes said: journalctl --user-unit dispatcher-acme -n 20',
    },
  ] as const)('the office that has a name is mended by it: $fix', ({ scope, timer, fix }) => {
    const unit = { name: 'dispatcher-acme', scope };
    expect(healthSentence(withTimer(aSnapshot(old(10)), { state: timer, unit })).fix).toBe(fix);
  });

  test.for(TABLE)(
    '$health, timer $timer: $cause',
    ({ state, timer = null, paused = false, health, cause, says, fix }) => {
      const snapshot = withTimer(aSnapshot(state, [], ['hans'], paused ? [aPause()] : []), {
        state: timer,
        unit: null,
      });
      const sentence = healthSentence(snapshot);
      expect({ health: snapshot.health, cause: snapshot.cause }).toEqual({ health, cause });
      expect(sentenceText(sentence.parts, NOON)).toMatch(says);
      expect(sentence.fix).toEqual(fix === null ? null : expect.stringMatching(fix));
    },
  );
});

describe('how the age of the last pass tells', () => {
  const health = (age: number, failures = 0, paused = false): Health =>
    healthOf(
      { lastPass: aPass({ finishedAt: iso(NOON - age) }), consecutiveFailures: failures },
      paused ? [aPause()] : [],
      NOON,
    );

  test.for([
    [90_000, 'ok'],
    [90_001, 'late'],
    [180_000, 'late'],
    [180_001, 'stale'],
  ] as const)('after %i ms it is %s', ([age, expected]) => {
    expect(health(age)).toBe(expected);
  });

  test('missing passes weigh more than failing ones, those more than a pause, and the pause of one agent is none', () => {
    expect(health(180_001, 3, true)).toBe('stale');
    expect(health(0, 3, true)).toBe('failing');
    expect(health(90_001, 0, true)).toBe('paused');
    const state = { lastPass: aPass(), consecutiveFailures: 0 };
    expect(healthOf(state, [aPause({ agent: 'hans' })], NOON)).toBe('ok');
  });

  test('it changes at these moments, and at none without a pass', () => {
    expect(healthChanges(NOON)).toEqual([NOON + 90_001, NOON + 180_001]);
    expect(healthChanges(undefined)).toEqual([]);
  });

  test.for([
    [undefined, 'never'],
    [NOON - 180_000, null],
    [NOON - 180_001, 'stale'],
  ] as const)('a last good pass at %s is overdue: %s', ([at, expected]) => {
    expect(overdue(at, NOON)).toBe(expected);
  });

  test.for([
    ['never_run', true],
    ['late', true],
    ['stale', true],
    ['ok', false],
    ['failing', false],
    ['paused', false],
  ] as const)('systemd is asked when it is %s: %s', ([state, asked]) => {
    expect(isAboutTimer(state)).toBe(asked);
  });
});

describe('why', () => {
  const why = (
    error: string | null,
    outcome: 'failed' | 'dispatched' | 'idle' = 'failed',
    waiting = 0,
    held = 0,
  ): Cause =>
    causeOf(
      { health: outcome === 'failed' ? 'failing' : 'ok', timer: null, waiting, held },
      {
        outcome,
        error: error === null ? null : { code: error, message: '', hint: null },
      },
    );

  test.for([
    ['gitea_forbidden', 'token_refused'],
    ['gitea_not_found', 'pass_failing'],
    ['gitea_silent', 'gitea_unreachable'],
    ['not_gitea_forbidden', 'pass_failing'],
    [null, 'pass_failing'],
  ] as const)('a pass that failed with %s: %s', ([code, cause]) => {
    expect(why(code)).toBe(cause);
  });

  test.for([
    ['dispatched', 0, 0, 'dispatching'],
    ['idle', 1, 5, 'dispatching'],
    ['idle', 0, 1, 'everything_held'],
    ['idle', 0, 0, 'nothing_to_do'],
  ] as const)('%s, %i waiting, %i held: %s', ([outcome, waiting, held, cause]) => {
    expect(why(null, outcome, waiting, held)).toBe(cause);
  });

  test('nothing is known of a pass that never was', () => {
    expect(causeOf({ health: 'failing', timer: null, waiting: 0, held: 0 }, null)).toBe('pass_failing');
    expect(causeOf({ health: 'ok', timer: null, waiting: 0, held: 0 }, null)).toBe('nothing_to_do');
  });
});
