// What the state says: pauses that hold, and how the last pass went.

import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { failed, type Finding, note, ok } from '../core/health/finding.ts';
import { healthOf } from '../core/health/health.ts';
import type { PassHistory } from '../core/state/last-pass.ts';
import { activePauses, pauseText } from '../core/state/pause.ts';
import type { DoctorDeps } from './doctor.ts';

/** Pauses, a broken state, and the last pass. */
export function* stateFindings(deps: DoctorDeps, config: Config): Generator<Finding> {
  try {
    const { state, found } = deps.readState(config);
    const pauses = deps.readPauses(config);
    const now = deps.now();
    if (found === 'broken') {
      yield {
        check: 'state',
        status: 'warning',
        message: 'the state file is unreadable; the next pass sets it aside',
        fix: 'dispatcher',
      };
    }
    for (const pause of activePauses(pauses, now)) {
      yield {
        check: 'pause',
        status: 'warning',
        message: pauseText(pause),
        fix: `dispatcher resume${pause.agent === null ? '' : ` --agent ${pause.agent}`}`,
      };
    }
    yield lastPass(state, now);
  } catch (error) {
    yield failed('state', error, 'run doctor as the user the timer runs as');
  }
}

/** Whether a pass has run: a timer is not missed before the first one by hand went well. */
export function hasRun(deps: DoctorDeps, config: Config): boolean {
  try {
    return deps.readState(config).state.lastPass !== null;
  } catch {
    return true;
  }
}

function lastPass(state: PassHistory, now: Instant): Finding {
  const { lastPass, failingSince, consecutiveFailures } = state;
  if (!lastPass) return note('last pass', 'none yet; one by hand: dispatcher');
  const age = shortDuration(now - (fromRfc3339(lastPass.finishedAt) ?? now));
  switch (healthOf(state, [], now)) {
    case 'failing':
      return {
        check: 'last pass',
        status: 'failed',
        message: `${consecutiveFailures} failed since ${failingSince ?? '?'}: ${lastPass.error?.message ?? 'unknown error'}`,
        fix: lastPass.error?.hint ?? 'dispatcher dispatch --dry-run -v',
      };
    case 'stale':
    case 'late':
      return {
        check: 'last pass',
        status: 'warning',
        message: `${age} ago; one a minute is expected`,
        fix: 'see below what is said of the timer',
      };
    case 'ok':
    case 'paused':
    case 'never_run':
      return ok('last pass', `${age} ago, ${lastPass.outcome}`);
  }
}
