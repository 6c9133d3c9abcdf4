// What a machine learns from the others: when the next file may appear, who has what, what it is offered, what is paused.

import { shortDuration } from '../../../core/clock.ts';
import { parsePause, type Pause } from '../../../core/state/pause.ts';
import type { Reconciled } from '../../../core/store/reconcile.ts';
import type { AgentTerms, Meeting, Offer, Report, TaskElsewhere } from '../../../core/store/store.ts';
import type { Ask, Row } from './connection.ts';
import { askOffice, UNSETTLED } from './failover.ts';
import { ABSENT_MS, numberIn, type Office, textIn } from './office.ts';
import { issueIn, stageIn, termsIn } from './parse.ts';

/** What became of its own tasks a machine looks at itself so often at least. */
const LISTED_BY_ITSELF_MS = 110_000;
/** An offer that nobody of its living machines took in this time is none that they can take. */
export const OFFER_STANDS_MS = 180_000;

/** Looks, within the transaction of the meeting. */
export async function look(
  { host, leaseMs, listedForAllMs }: Office,
  ask: Ask,
  report: Report,
  { isDecider, result }: { readonly isDecider: boolean; readonly result: Reconciled },
): Promise<Meeting> {
  const hosts = await ask(
    `select name, agents, rate_limit_ms, listed_scope, ${ago('listed_at')} as listed_ago, ${ago('seen_at')} < $1 as lives,
       ${ago('seen_at')} < $2 as comes
     from host order by name`,
    [leaseMs, ABSENT_MS],
  );
  // A slot that was only asked for is one in which nothing has appeared yet.
  const slots = await ask(`select scope, ref, ${ago('at')} as last_ago from slot where at > '-infinity'`);
  const tasks = await ask(
    `select key, agent, state, host, stage, dispatches, issue, repository, wait_reason, ${ago('since')} as age,
       wait_until > clock_timestamp() as waits, ${ago('wait_until')} as due_ago
     from task where state = 'offered' or host <> $1 or wait_until > clock_timestamp() - interval '1 day' or (state = 'free' and dispatches > 0)
     order by key`,
    [host],
  );
  const pauses = await readPauses(ask);
  const { revision, settlesIn } = await askOffice(ask);
  const others = hosts.filter((row) => row['name'] !== host && row['lives'] === true);
  return {
    ...machinesIn(others),
    ...tasksIn(tasks, report, host),
    isDecider: isDecider && !isListedByOthers(hosts, host, report.scope, listedForAllMs),
    windows: slots.map((row) => ({
      scope: textIn(row, 'scope') ?? '',
      lastAgo: Math.max(0, numberIn(row, 'last_ago')),
      ref: textIn(row, 'ref'),
    })),
    pauses,
    warnings: [...(settlesIn > 0 ? [UNSETTLED] : []), ...longerLimits(others, report)],
    leases: new Map(result.adopted.map(({ key, lease }) => [key, lease])),
    lost: result.lost,
    stamp: JSON.stringify([
      revision,
      settlesIn > 0,
      others.map((row) => [row['name'], row['agents'], row['comes']]),
      refusedIn(tasks).map(({ key }) => key),
    ]),
  };
}

function machinesIn(others: readonly Row[]): Pick<Meeting, 'longestLimitMs' | 'agentsElsewhere' | 'agentsPresent'> {
  const present = agentsOf(
    others.filter((row) => row['comes'] === true),
    ({ isUnusable }) => isUnusable !== true,
  );
  return {
    longestLimitMs: Math.max(0, ...others.map((row) => numberIn(row, 'rate_limit_ms'))),
    agentsElsewhere: agentsOf(others),
    agentsPresent: present && new Set(present.keys()),
  };
}

function tasksIn(
  tasks: readonly Row[],
  report: Report,
  host: string,
): Pick<
  Meeting,
  'offers' | 'offersElsewhere' | 'isOffering' | 'elsewhere' | 'attempts' | 'declined' | 'dueAgain' | 'passedOver'
> {
  const offered = tasks.filter((row) => row['state'] === 'offered');
  const refused = refusedIn(tasks);
  return {
    offers: offersIn(offered, (agent) => isForUs(report, agent)),
    offersElsewhere: offersIn(offered, (agent) => !isForUs(report, agent)),
    isOffering: offered.length > 0,
    elsewhere: new Map(tasks.flatMap((row) => elsewhere(row, host))),
    attempts: new Map(
      tasks.flatMap((row) => (row['state'] === 'held' ? [] : [[String(row['key']), numberIn(row, 'dispatches')]])),
    ),
    declined: new Map(refused.map(({ key, why }) => [key, why])),
    dueAgain: new Map(dueAgainIn(tasks)),
    passedOver: passedOverIn(refused),
  };
}

interface Refused {
  readonly key: string;
  readonly agent: string;
  readonly why: string;
}

// What was given back lately, or stands for too long.
function refusedIn(tasks: readonly Row[]): readonly Refused[] {
  return tasks.flatMap((row) => {
    const isStale = row['state'] === 'offered' && numberIn(row, 'age') > OFFER_STANDS_MS;
    if (!isStale && row['waits'] !== true) return [];
    const why = isStale ? STALE : (textIn(row, 'wait_reason') ?? 'another machine could not take it');
    return [{ key: String(row['key']), agent: String(row['agent']), why }];
  });
}

function dueAgainIn(tasks: readonly Row[]): readonly (readonly [string, number])[] {
  const due = tasks.filter((row) => row['waits'] === false);
  return due.map((row) => [String(row['key']), numberIn(row, 'due_ago')]);
}

// Each offer keeps a slot for its agent. Whatever is wrong there, its urgent issues one after the other would take them all, and the
// first of them be offered again before the last one was: one that was given back may be its own fault, two are that of the machine.
function passedOverIn(refused: readonly Refused[]): Meeting['passedOver'] {
  const once = new Set<string>();
  const passedOver = new Map<string, string>();
  for (const { agent, why } of refused) {
    if (why === STALE || once.has(agent)) passedOver.set(agent, why);
    once.add(agent);
  }
  return passedOver;
}

/** Why what was offered for so long is not offered for a while. */
export const STALE = 'it was offered to the machine of its agent, which has not taken it; doctor there may tell why';

/** Every pause on record. */
export async function readPauses(ask: Ask): Promise<readonly Pause[]> {
  const rows = await ask('select agent, record from pause order by agent');
  return rows.map((row) => parsePause(row['record'], textIn(row, 'agent') || null));
}

/** How long ago that is by the clock of the database, in milliseconds. */
export function ago(column: string): string {
  return `(extract(epoch from clock_timestamp() - ${column}) * 1000)::float8`;
}

// By its own, a machine whose limit is longer would find each window closed by the others, and by theirs its limit would not hold.
function longerLimits(others: readonly Row[], { rateLimitMs }: Report): readonly string[] {
  const longer = others.filter((row) => numberIn(row, 'rate_limit_ms') > rateLimitMs);
  const told = longer.map((row) => `${shortDuration(numberIn(row, 'rate_limit_ms'))} on ${textIn(row, 'name')}`);
  return told.length === 0
    ? []
    : [
        `rateLimit is ${told.join(' and ')}, and ${shortDuration(rateLimitMs)} here: the longest one holds on all machines`,
      ];
}

function isListedByOthers(hosts: readonly Row[], host: string, scope: string, ms: number): boolean {
  const own = hosts.find((row) => row['name'] === host);
  const isLongAgo = own?.['listed_ago'] == null || numberIn(own, 'listed_ago') > LISTED_BY_ITSELF_MS;
  return (
    !isLongAgo &&
    hosts.some(
      (row) =>
        row['name'] !== host &&
        row['listed_scope'] === scope &&
        row['listed_ago'] !== null &&
        numberIn(row, 'listed_ago') < ms,
    )
  );
}

// Another machine of the same agent may be able to take what this one cannot.
function isForUs({ agents }: Report, agent: string): boolean {
  return agents === null || (agent in agents && agents[agent]?.isUnusable !== true);
}

function offersIn(offered: readonly Row[], isMeant: (agent: string) => boolean): readonly Offer[] {
  return offered.flatMap((row) => {
    const [key, agent, issue] = [String(row['key']), String(row['agent']), issueIn(row)];
    return issue && isMeant(agent) ? [{ key, agent, issue }] : [];
  });
}

function elsewhere(row: Row, me: string): [string, TaskElsewhere][] {
  const host = textIn(row, 'host');
  return host === null || host === me
    ? []
    : [[String(row['key']), { host, agent: String(row['agent']), stage: stageIn(row) }]];
}

function agentsOf(
  others: readonly Row[],
  isMeant: (terms: AgentTerms) => boolean = () => true,
): ReadonlyMap<string, AgentTerms> | null {
  const all = others.map(termsIn);
  const known = all.filter((terms) => terms !== null);
  return known.length < all.length
    ? null
    : new Map(known.flatMap((terms) => Object.entries(terms).filter(([, each]) => isMeant(each))));
}
