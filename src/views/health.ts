import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { Health } from '../core/health/health.ts';
import { isPassedOver } from '../core/health/agent-status.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import type { Pause } from '../core/state/pause.ts';
import { cleanLine } from '../core/task/untrusted.ts';

/** The sign in front of each word for the health; it only repeats what the word says. */
export const HEALTH_SIGNS: Readonly<Record<Health, string>> = {
  ok: '●',
  never_run: '○',
  late: '▲',
  stale: '✖',
  failing: '✖',
  paused: '‖',
};

/** A piece of a sentence: words, or a time that is told as a duration from now: a terminal prints it, the page lets it tick. */
export type Part = string | { readonly since: string } | { readonly until: string };

interface HealthSentence {
  readonly parts: readonly Part[];
  /** What to do about it. */
  readonly fix: string | null;
  /** That of it which a shell takes as it is, for copying. */
  readonly command: string | null;
}

/** What the passes are doing in one sentence, which begins with the word for it, and what to do about it. */
export function healthSentence(snapshot: Snapshot): HealthSentence {
  const { lastPass } = snapshot;
  const last: Part = lastPass ? { since: lastPass.finishedAt } : '';
  switch (snapshot.health) {
    case 'never_run':
      return {
        parts: [`never run: no pass has run yet${timerTrouble(snapshot, ', and ')}`],
        ...timerFix(snapshot),
      };
    case 'ok':
      return {
        parts: [
          'ok: last pass ',
          last,
          ` ago, ${lastPass?.ref ? `dispatched ${lastPass.ref}` : quietText(snapshot)}`,
          ...awayParts(snapshot),
        ],
        ...awayFix(snapshot),
      };
    case 'late':
      return {
        parts: ['late: last pass ', last, ` ago, one a minute expected${timerTrouble(snapshot, '; ')}`],
        ...timerFix(snapshot),
      };
    case 'stale':
      return {
        parts: [
          'stale: last pass ',
          last,
          ` ago${timerTrouble(snapshot, ', ') || ', the timer seems to be stopped'}; what follows is from then`,
        ],
        ...timerFix(snapshot),
      };
    case 'failing': {
      const count = snapshot.consecutiveFailures;
      const message = cleanLine(lastPass?.error?.message ?? 'unknown error', 300);
      const since: Part = snapshot.failingSince ? { since: snapshot.failingSince } : '?';
      return {
        parts: [`failing: ${count} ${count === 1 ? 'pass' : 'passes'} in a row, since `, since, `: ${message}`],
        // A hint is words, with commands in them.
        ...(lastPass?.error?.hint
          ? { fix: cleanLine(lastPass.error.hint, 300), command: null }
          : said('dispatcher dispatch --dry-run -v')),
      };
    }
    case 'paused': {
      const pause = snapshot.pauses.find(({ agent }) => agent === null);
      return { parts: ['paused', ...(pause ? pauseParts(pause) : [])], ...said('dispatcher resume') };
    }
  }
}

/** A sentence for each agent that is paused by itself: its tables show that only once something was passed over. */
export function agentPauses({ pauses }: Pick<Snapshot, 'pauses'>): readonly (readonly Part[])[] {
  return pauses.flatMap((pause) =>
    pause.agent === null
      ? []
      : [[`${pause.agent} is paused`, ...pauseParts(pause), `; resume: dispatcher resume --agent ${pause.agent}`]],
  );
}

function pauseParts({ at, until, by, reason }: Pause): readonly Part[] {
  return [
    ...(at ? [' since ', { since: at }] : []),
    ...(until ? [', for another ', { until }] : []),
    by ? `, by ${by}` : '',
    reason ? `: ${reason}` : '',
  ];
}

// The others go on: that is well, and has to be said all the same.
function awayParts({ servers = [] }: Snapshot): readonly Part[] {
  return servers.flatMap(({ name, away }): readonly Part[] =>
    away === null ? [] : [`; ${name} is away since `, { since: away.since }],
  );
}

function awayFix({ servers = [] }: Snapshot): Pick<HealthSentence, 'fix' | 'command'> {
  const missing = servers.find(({ away }) => away !== null);
  if (!missing?.away) return { fix: null, command: null };
  const { message, hint } = missing.away;
  return { fix: cleanLine(`${message}${hint === null ? '' : `: ${hint}`}`, 400), command: null };
}

function quietText(snapshot: Snapshot): string {
  const { cause } = snapshot;
  if (cause === 'nothing_to_do') return 'nothing to do';
  return cause === 'everything_held' ? `nothing to dispatch: ${reasonsText(snapshot)}` : 'nothing dispatched';
}

/** `held 2, blocked 1` */
export function reasonsText({ skipped, rest }: Pick<Snapshot, 'skipped' | 'rest'>): string {
  const counts = new Map<string, number>();
  const passedOver = [
    ...skipped.map(({ reason }) => ({ reason, count: 1 })),
    ...rest.filter((each) => isPassedOver(each)),
  ];
  for (const { reason, count } of passedOver)
    counts.set(reason ?? 'unknown', (counts.get(reason ?? 'unknown') ?? 0) + count);
  return [...counts].map(([reason, count]) => `${reason} ${count}`).join(', ');
}

function timerTrouble({ timer }: Snapshot, glue: string): string {
  switch (timer) {
    case 'not_installed':
      return `${glue}no timer is installed`;
    case 'stopped':
      return `${glue}the timer is stopped`;
    case 'due':
      return `${glue}the timer starts the first one within a minute`;
    case 'active':
      return `${glue}the timer runs, but its passes do not get to their end`;
    case null:
      return '';
  }
}

function timerFix({ timer, timerUnit, health }: Snapshot): Pick<HealthSentence, 'fix' | 'command'> {
  const { name, scope } = timerUnit ?? { name: 'dispatcher', scope: 'system' };
  const isUser = scope === 'user';
  switch (timer) {
    case 'not_installed':
      return said(
        'dispatcher systemd install --user --now',
        ' (for the whole machine: sudo dispatcher systemd install --now)',
      );
    case 'stopped':
      return said(`${isUser ? 'systemctl --user' : 'sudo systemctl'} enable --now ${name}.timer`);
    case 'due':
      return said('dispatcher status', ' (after a minute)');
    case 'active':
      return said(
        'dispatcher doctor',
        `; what the passes said: journalctl ${isUser ? '--user-unit' : '-u'} ${name} -n 20`,
      );
    case null:
      return health === 'never_run'
        ? said(
            'dispatcher dispatch --dry-run',
            ', then have a pass started every minute (README, "Run it every minute")',
          )
        : {
            fix: 'see that something starts a pass every minute (cron, or a timer: systemctl list-timers dispatcher.timer)',
            command: null,
          };
  }
}

function said(command: string, more = ''): Pick<HealthSentence, 'fix' | 'command'> {
  return { fix: command + more, command };
}

/** `next slot in 42s, 7 waiting, oldest HIGH 3h` */
export function slotSentence({ slot, counts, oldestWaiting, lastSuccessAt }: Snapshot): readonly Part[] {
  // Before the first good pass nobody knows what waits.
  if (lastSuccessAt === null) return [];
  return [
    ...(slot.free ? ['slot free'] : ['next slot in ', { until: slot.opensAt }]),
    `, ${counts.waiting} waiting`,
    ...(oldestWaiting ? [`, oldest ${oldestWaiting.priority} `, { since: oldestWaiting.createdAt }] : []),
  ];
}

/** A sentence as plain text, at that moment. */
export function sentenceText(parts: readonly Part[], now: Instant): string {
  return parts.map((part) => (typeof part === 'string' ? part : partText(part, now))).join('');
}

/** How a time in a sentence reads at that moment, such as `42s`. */
export function partText(part: Exclude<Part, string>, now: Instant): string {
  const duration = 'since' in part ? now - (fromRfc3339(part.since) ?? now) : (fromRfc3339(part.until) ?? now) - now;
  return shortDuration(duration);
}
