import { fromRfc3339, type Instant } from '../clock.ts';
import { activePauses, type Pause } from '../state/pause.ts';
import type { PassHistory } from '../state/last-pass.ts';

export type Health = 'never_run' | 'ok' | 'late' | 'stale' | 'failing' | 'paused';

/**
 * What systemd says of the timer that starts the passes; `due`: it runs, and has not started one yet. Null when no systemd
 * answers, or nobody had a reason to ask.
 */
export type TimerState = 'not_installed' | 'stopped' | 'active' | 'due' | null;

/** The timer's name, such as `dispatcher-acme`, and whose it is. */
export interface TimerUnit {
  readonly name: string;
  readonly scope: 'system' | 'user';
}

export interface Timer {
  readonly state: TimerState;
  /** Null where there is none, or nobody knows. */
  readonly unit: TimerUnit | null;
}

/** Why nothing moves, or that it does: finer than the health, and one word each for scripts. */
export type Cause =
  | 'dispatching'
  | 'nothing_to_do'
  | 'everything_held'
  | 'paused'
  | 'never_run'
  | 'timer_not_installed'
  | 'timer_stopped'
  | 'passes_missing'
  | 'gitea_unreachable'
  | 'token_refused'
  | 'pass_failing';

const LATE_AFTER_MS = 90_000;
const STALE_AFTER_MS = 180_000;

/** How the timer-started passes are doing. Passes that stopped weigh more than passes that fail: nothing else is news then. */
export function healthOf(
  state: Pick<PassHistory, 'lastPass' | 'consecutiveFailures'>,
  pauses: readonly Pause[],
  now: Instant,
): Health {
  if (!state.lastPass) return 'never_run';
  const age = now - (fromRfc3339(state.lastPass.finishedAt) ?? 0);
  if (age > STALE_AFTER_MS) return 'stale';
  if (state.consecutiveFailures > 0) return 'failing';
  if (activePauses(pauses, now).some((pause) => pause.agent === null)) return 'paused';
  return age > LATE_AFTER_MS ? 'late' : 'ok';
}

/** The moments at which a pass that ended then makes another health by its age alone. */
export function healthChanges(finishedAt: Instant | undefined): readonly Instant[] {
  return finishedAt === undefined ? [] : [finishedAt + LATE_AFTER_MS + 1, finishedAt + STALE_AFTER_MS + 1];
}

/** Why the last good pass is too long ago, or null when it is not: what a health check of another machine asks. */
export function overdue(lastSuccessAt: Instant | undefined, now: Instant): 'never' | 'stale' | null {
  if (lastSuccessAt === undefined) return 'never';
  return now - lastSuccessAt > STALE_AFTER_MS ? 'stale' : null;
}

/** Whether the timer may have to do with it, so that systemd is worth asking. */
export function isAboutTimer(health: Health): boolean {
  return health === 'never_run' || health === 'late' || health === 'stale';
}

/** Why nothing moves. `waiting` and `held` are the candidates of the last pass that wait, and that were passed over. */
export function causeOf(
  { health, timer, waiting, held }: { health: Health; timer: TimerState; waiting: number; held: number },
  lastPass: Pick<NonNullable<PassHistory['lastPass']>, 'outcome' | 'error'> | null,
): Cause {
  switch (health) {
    case 'never_run':
    case 'late':
    case 'stale':
      if (timer === 'not_installed') return 'timer_not_installed';
      if (timer === 'stopped') return 'timer_stopped';
      return health === 'never_run' ? 'never_run' : 'passes_missing';
    case 'failing': {
      const code = lastPass?.error?.code ?? '';
      if (/^(?:token_|gitea_(?:unauthorized|forbidden))/u.test(code)) return 'token_refused';
      return code.startsWith('gitea_') && code !== 'gitea_not_found' ? 'gitea_unreachable' : 'pass_failing';
    }
    case 'paused':
      return 'paused';
    case 'ok':
      if (lastPass?.outcome === 'dispatched' || waiting > 0) return 'dispatching';
      return held > 0 ? 'everything_held' : 'nothing_to_do';
  }
}
