// The first page: health, slot, counts, what is next, agents with their tasks, recent dispatches, log.

import { fromRfc3339 } from '../../core/clock.ts';
import { machineRows } from './machines.ts';
import type { DispatchRecord } from '../../core/state/dispatch-record.ts';
import type { Health } from '../../core/health/health.ts';
import type { LogLine } from '../../core/health/log-event.ts';
import { PRIORITIES } from '../../core/issue/priority.ts';
import { type AgentStatus, notListed } from '../../core/health/agent-status.ts';
import type { Snapshot } from '../../core/health/snapshot.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { HEALTH_SIGNS, healthSentence, type Part, slotSentence } from '../health.ts';
import {
  agentHref,
  type Frame,
  frameData,
  localTime,
  nullIfEmpty,
  type Mood,
  priorityData,
  safeUrl,
  sentenceData,
  taskHrefs,
  taskRow,
} from './parts.ts';
import { countsText } from '../counts.ts';

/** What the reader asked to see, as the address of the page says it. */
export interface Filter {
  readonly agent: string;
  readonly priority: string;
  readonly logText: string;
  readonly logProblems: boolean;
}

/** What the page shows besides the snapshot. */
export interface FrontSources {
  readonly snapshot: Snapshot;
  /** Oldest first. */
  readonly dispatches: readonly DispatchRecord[];
  readonly log: readonly LogLine[];
  readonly filter: Filter;
  /** Where the issues are on the server; null where there are several. */
  readonly issuesUrl: string | null;
}

const MOODS: Readonly<Record<Health, Mood>> = {
  ok: 'ok',
  late: 'attention',
  paused: 'attention',
  never_run: 'attention',
  stale: 'trouble',
  failing: 'trouble',
};
const TASKS_SHOWN = 8;
const DONE_SHOWN = 3;
const RECENT_SHOWN = 50;
const LINES_SHOWN = 200;
const PASSED_SHOWN = 20;

/** The data of `page.hbs`. */
export function frontPage(sources: FrontSources, frame: Frame) {
  const { snapshot, filter } = sources;
  const { health } = snapshot;
  const word = health.replace('_', ' ');
  const { parts, fix, command } = healthSentence(snapshot);
  const title = MOODS[health] === 'ok' ? 'Dispatcher' : `! ${word} – Dispatcher`;
  return {
    ...frameData(frame, title, MOODS[health], announcement(snapshot)),
    outdated: health === 'stale',
    health: { word, sign: HEALTH_SIGNS[health], parts: sentenceData(withoutWord(parts, word), frame), fix, command },
    slot: nullIfEmpty(sentenceData(slotSentence(snapshot), frame)),
    warnings: snapshot.warnings.map((warning) => cleanLine(warning, 500)),
    steps: health === 'never_run' ? STEPS : null,
    tiles: tiles(snapshot),
    next: snapshot.next
      ? {
          priority: priorityData(snapshot.next.priority),
          ref: cleanLine(snapshot.next.ref, 200),
          url: safeUrl(snapshot.next.url),
          title: cleanLine(snapshot.next.title, 500),
          agent: cleanLine(snapshot.next.agent, 100),
        }
      : null,
    nothing: nothingText(sources),
    agents: snapshot.agents.map((agent) => agentCard(agent, snapshot, frame)),
    machines: machineRows(snapshot.hosts, Date.parse(snapshot.generatedAt)),
    passedOver: snapshot.counts.skipped > 0 ? passedOver(snapshot) : null,
    filter: {
      active: filter.agent !== '' || filter.priority !== '',
      agent: filter.agent,
      priority: filter.priority,
      agents: agentNames(sources).map((name) => ({ name, selected: name === filter.agent })),
      priorities: PRIORITIES.map((name) => ({ name, selected: name === filter.priority })),
    },
    recent: nullIfEmpty(recentRows(sources, frame)),
    log: {
      q: filter.logText,
      problems: filter.logProblems,
      filtered: filter.logText !== '' || filter.logProblems,
      lines: nullIfEmpty(shownLines(sources)),
    },
  };
}

// The word stands in the banner by itself, and the sentence goes on from there.
function withoutWord([first = '', ...rest]: readonly Part[], word: string): readonly Part[] {
  const text =
    typeof first === 'string' && first.startsWith(word) ? first.slice(word.length).replace(/^: /u, '') : first;
  return [text, ...rest];
}

// No ages in it: it is spoken again only when something else is the matter.
function announcement(snapshot: Snapshot): string {
  const cause = snapshot.health === 'failing' ? `: ${cleanLine(snapshot.lastPass?.error?.message ?? '', 200)}` : '';
  return `Passes are ${snapshot.health.replace('_', ' ')}${cause}`;
}

const STEPS = [
  {
    what: 'See what would be dispatched, and why not the rest; it writes nothing:',
    type: 'dispatcher dispatch --dry-run',
  },
  { what: 'Run one pass by hand:', type: 'dispatcher' },
  {
    what: 'Install the timer, which runs one every minute (for the whole machine: with sudo, and without --user):',
    type: 'dispatcher systemd install --user --now',
  },
];

// What the agents do, and then what the passes did; what wants somebody stands out.
function tiles({ counts, consecutiveFailures }: Snapshot) {
  const tile = (label: string, count: number, href = '#agents', mood = '') => ({ label, count, href, mood });
  return [
    tile('waiting', counts.waiting),
    tile('new', counts.new),
    tile('in work', counts.doing),
    ...(counts.stalled > 0 ? [tile('stalled', counts.stalled, '#agents', 'bad')] : []),
    tile('blocked', counts.blocked, '#agents', counts.blocked > 0 ? 'notable' : ''),
    tile('done', counts.done),
    tile('passed over', counts.skipped, counts.skipped > 0 ? '#passed-over' : '#agents'),
    tile('today', counts.dispatchedToday, '#recent'),
    tile(
      consecutiveFailures === 1 ? 'failed pass' : 'failed passes',
      consecutiveFailures,
      '/?log=problems#log',
      consecutiveFailures > 0 ? 'bad' : '',
    ),
  ];
}

function nothingText({ snapshot, issuesUrl }: FrontSources) {
  const url = issuesUrl === null ? null : safeUrl(issuesUrl);
  if (snapshot.lastSuccessAt === null) return { text: 'Not known before the first good pass.', url: null };
  if (snapshot.counts.skipped > 0) return { text: 'Nothing: every waiting issue is passed over, see below.', url };
  return { text: 'Nothing to do: no open issue waits for an agent.', url };
}

function agentCard(agent: AgentStatus, snapshot: Snapshot, frame: Frame) {
  const open = agent.tasks.filter((task) => task.state !== 'done').slice(0, TASKS_SHOWN);
  const done = agent.tasks
    .filter((task) => task.state === 'done')
    .slice(0, Math.max(0, Math.min(DONE_SHOWN, TASKS_SHOWN - open.length)));
  const rows = [...open, ...done].map((task) => taskRow(task, agent, frame));
  return {
    name: agent.name,
    href: agentHref(agent.name),
    counts: countsText(agent),
    paused: isPaused(agent.name, snapshot),
    rows: nullIfEmpty(rows),
    more: agent.tasks.length - rows.length + notListed(agent),
  };
}

/** Whether nothing is dispatched to an agent at present, by order. */
export function isPaused(agent: string, { pauses }: Snapshot): boolean {
  return pauses.some((pause) => pause.agent === null || pause.agent === agent);
}

function passedOver({ skipped, counts }: Snapshot) {
  const rows = skipped.slice(0, PASSED_SHOWN).map((row) => ({
    priority: priorityData(row.priority),
    ref: cleanLine(row.ref, 200),
    url: safeUrl(row.url),
    title: cleanLine(row.title, 300),
    agent: cleanLine(row.agent, 100),
    reason: cleanLine(row.reason ?? 'unknown', 100),
    detail: cleanLine(row.detail ?? '', 300),
  }));
  return { rows, more: counts.skipped - rows.length };
}

function agentNames({ snapshot, dispatches }: FrontSources): readonly string[] {
  const names = [
    ...snapshot.agents.map((agent) => agent.name),
    ...dispatches.map((record) => cleanLine(record.agent, 100)),
  ];
  return [...new Set(names)].toSorted();
}

function recentRows({ snapshot, dispatches, filter }: FrontSources, frame: Frame) {
  const shown = dispatches
    .filter(
      ({ agent, priority }) =>
        (filter.agent === '' || agent === filter.agent) && (filter.priority === '' || priority === filter.priority),
    )
    .slice(-RECENT_SHOWN)
    .toReversed();
  const hrefOf = taskHrefs(snapshot);
  return shown.map((record) => ({
    at: cleanLine(record.at, 40),
    local: localTime(fromRfc3339(record.at) ?? 0, frame.timeZone),
    priority: priorityData(record.priority),
    ref: cleanLine(record.ref, 200),
    url: null,
    file: hrefOf(record.agent, record.ref),
    title: cleanLine(record.title, 500),
    agent: cleanLine(record.agent, 100),
    trigger: cleanLine(
      [record.trigger, ...(record.lifted.length > 0 ? [`lifted ${record.lifted.join(', ')}`] : [])].join(': '),
      200,
    ),
  }));
}

function shownLines({ log, filter }: FrontSources): readonly LogLine[] {
  const wanted = filter.logText.toLowerCase();
  return log
    .filter(({ level }) => !filter.logProblems || level === 'warning' || level === 'error')
    .filter(({ name, message }) => `${name ?? ''} ${message}`.toLowerCase().includes(wanted))
    .slice(-LINES_SHOWN);
}
