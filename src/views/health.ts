import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { Health } from '../core/health.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { cleanLine } from '../core/untrusted.ts';

export const HEALTH_SIGNS: Readonly<Record<Health, string>> = {
  ok: '●',
  never_run: '○',
  late: '▲',
  stale: '✖',
  failing: '✖',
  paused: '‖',
};

/** What the passes are doing in one sentence, and what to do about it. */
export function healthSentence(
  snapshot: Snapshot,
  now: Instant,
): { readonly text: string; readonly fix: string | null } {
  const { lastPass } = snapshot;
  const age = (at: string | null): string => shortDuration(now - (fromRfc3339(at ?? '') ?? now));
  const since = age(lastPass?.finishedAt ?? null);
  switch (snapshot.health) {
    case 'never_run':
      return {
        text: 'never run: no pass has run yet',
        fix: 'dispatcher dispatch --dry-run, then start the timer (README, "Run it every minute")',
      };
    case 'ok':
      return {
        text: `ok: last pass ${since} ago${lastPass?.ref ? `, dispatched ${lastPass.ref}` : ', nothing dispatched'}`,
        fix: null,
      };
    case 'late':
      return {
        text: `late: last pass ${since} ago, one a minute expected`,
        fix: 'systemctl list-timers dispatcher.timer',
      };
    case 'stale':
      return {
        text: `stale: last pass ${since} ago, the timer seems to be stopped; what follows is from then`,
        fix: 'sudo systemctl enable --now dispatcher.timer (with --user for a user timer)',
      };
    case 'failing': {
      const count = snapshot.consecutiveFailures;
      const message = cleanLine(lastPass?.error?.message ?? 'unknown error', 300);
      return {
        text: `failing: ${count} ${count === 1 ? 'pass' : 'passes'} in a row, since ${age(snapshot.failingSince)}: ${message}`,
        fix: lastPass?.error?.hint ? cleanLine(lastPass.error.hint, 300) : 'dispatcher dispatch --dry-run -v',
      };
    }
    case 'paused':
      return {
        text: `paused since ${age(snapshot.pause?.at ?? null)}${snapshot.pause?.reason ? `: ${cleanLine(snapshot.pause.reason, 200)}` : ''}`,
        fix: 'dispatcher resume',
      };
  }
}

/** `next slot in 42s, 7 waiting, oldest HIGH 3h` */
export function slotSentence({ slot, counts, oldestWaiting }: Snapshot, now: Instant): string {
  const opens = (fromRfc3339(slot.opensAt) ?? now) - now;
  const parts = [opens > 0 ? `next slot in ${shortDuration(opens)}` : 'slot free', `${counts.waiting} waiting`];
  if (oldestWaiting) {
    parts.push(
      `oldest ${oldestWaiting.priority} ${shortDuration(now - (fromRfc3339(oldestWaiting.createdAt) ?? now))}`,
    );
  }
  return parts.join(', ');
}
