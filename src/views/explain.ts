import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import type { Candidate } from '../core/issue/candidate.ts';
import { refOf } from '../core/issue/issue.ts';
import { candidatesIn, type DecisionRecord, type RestRecord, type RowRecord } from '../core/state/decision-record.ts';
import type { PassRecord } from '../core/state/last-pass.ts';
import type { TaskStatus } from '../core/task/status.ts';
import type { SkipReason } from '../core/issue/eligibility.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { decisionTable, outcomeOf } from './decision-table.ts';
import { sentenceText, slotSentence } from './health.ts';
import { stageSentence, taskName } from './stage.ts';

interface Screen {
  readonly now: Instant;
  readonly width: number;
}

/** The last pass: when it ran, what came of it, and in order the candidates that were asked for, with outcome and since when. */
export function passReport(pass: PassRecord | null, shown: DecisionRecord, { now, width }: Screen): string {
  if (pass === null) return 'No pass has run yet. What one would do: dispatcher dispatch --dry-run\n';
  const when = `The last pass ended ${age(pass.finishedAt, now)} ago`;
  const outcome = {
    dispatched: `dispatched ${pass.ref}`,
    idle: 'dispatched nothing',
    failed: `failed: ${cleanLine(pass.error?.message ?? 'unknown error', 500)}`,
  }[pass.outcome];
  const many = candidatesIn(pass);
  const asked = candidatesIn(shown);
  const those = asked === many ? '' : `, and ${asked === 0 ? 'none' : asked} of those that are asked for`;
  const count = `${many} ${many === 1 ? 'candidate' : 'candidates'}${those}`;
  const rest = pass.outcome === 'failed' ? `What follows is from the last good one.` : `It saw ${count}.`;
  return `${[`${when} and ${outcome}. ${rest}`, '', ...decisionTable(shown, now, width)].join('\n').trimEnd()}\n`;
}

/** What is known of one issue and one agent. */
interface Story {
  readonly row: RowRecord;
  /** Its place in the order, from 1, and of how many. */
  readonly place: number;
  readonly of: number;
  readonly snapshot: Snapshot;
}

// A new reason does not compile until it is explained.
const MEANING: Readonly<Record<SkipReason, string>> = {
  dispatched: 'its task file is in the folder of the agent. When it is done, the agent moves it to done/',
  done: 'the agent has moved its task file to done/. Close the issue, or send it again with --force',
  unknown_agent: 'its assignee is none of the configured agents: add the login to agents, or assign somebody else',
  unsafe_name: 'the login of its assignee cannot be the name of a folder',
  folder_unusable:
    'nothing can be said of the tasks of this agent, nor any be written, until its folder is mended; the others go on',
  paused: 'dispatching is paused: dispatcher resume',
  held: 'a label of holdLabels, trust, or a file that was deleted again and again keeps it back, as the line above says. Take that away, or send it with --force',
  blocked:
    'an issue in front of it is open. It goes by itself once that is closed; Gitea is asked again as soon as the list shows it, else every five minutes',
  failed:
    'it could not be read or rendered. It is tried again by itself, and at once with: dispatcher dispatch --issue',
  not_for_agent:
    'its agent takes other issues: give it one of the labels in agents.NAME.labels, assign somebody else, or use --force',
  rate_limited: 'its agent or its repository had a task within the limit of its own',
  agent_busy: 'the agent has as many unfinished tasks as maxTasks allows',
};

/** One candidate's story in plain words. */
export function candidateStory({ row, place, of, snapshot }: Story, now: Instant): readonly string[] {
  const since = row.since === undefined ? '' : `, since ${age(row.since, now)}`;
  const facts = `  ${row.priority} (${row.prioritySource}), opened ${age(row.createdAt, now)} ago, number ${place} of ${of} in order.`;
  const head = `${row.ref} for ${cleanLine(row.agent, 100)}: ${outcomeOf(row)}${since}. ${row.title}`;
  const detail = row.detail === null ? [] : [`  ${cleanLine(row.detail, 500)}.`];
  return [head, facts, ...detail, `  ${whatNow(row, snapshot, now)}`];
}

/** The story of a candidate that is behind the listed ones of its agent, and only counted; none: nothing of the kind is counted. */
export function countedStory(candidate: Candidate, rest: readonly RestRecord[], now: Instant): readonly string[] {
  const { agent, issue, priority, source } = candidate;
  const groups = rest.filter((each) => each.agent === cleanLine(agent) && each.priority === priority);
  if (groups.length === 0) return [];
  const opened = shortDuration(now - issue.createdAt);
  return [
    `${refOf(issue)} for ${cleanLine(agent, 100)}: behind the listed ones. ${cleanLine(issue.title)}`,
    `  ${priority} (${cleanLine(source)}), opened ${opened} ago. Of its agent and priority the last pass left out of its list:`,
    ...groups.map(({ count, reason, ...came }) => {
      const meaning = came.outcome === 'skipped' ? `. That is: ${meaningOf(reason)}` : '';
      return `  ${count} ${outcomeOf({ ...came, reason })}${meaning}.`;
    }),
    `  Out of turn: dispatcher dispatch --issue ${issue.number}`,
  ];
}

function whatNow(row: RowRecord, snapshot: Snapshot, now: Instant): string {
  switch (row.outcome) {
    case 'chosen':
      return 'It was chosen in the last pass.';
    case 'next':
      return `It is the next one: ${sentenceText(slotSentence(snapshot).slice(0, 2), now).replace(/, .*$/u, '')}.`;
    case 'waiting':
      return `More urgent or older ones go before it. Out of turn: dispatcher dispatch --issue ${row.issue}`;
    case 'skipped':
      return `That is: ${meaningOf(row.reason)}.`;
  }
}

// A newer version may have written the rows.
function meaningOf(reason: string | null): string {
  return Object.entries(MEANING).find(([known]) => known === reason)?.[1] ?? 'see the README, "Which issue goes next"';
}

/** What files and journal know of an issue. */
export function traces(
  tasks: readonly TaskStatus[],
  dispatches: readonly DispatchRecord[],
  now: Instant,
): readonly string[] {
  const sent = dispatches.map(
    ({ at, agent, trigger, attempt, ref }) =>
      `  ${ref} was dispatched to ${cleanLine(agent, 100)} ${age(at, now)} ago (${trigger}${attempt > 1 ? `, attempt ${attempt}` : ''}).`,
  );
  const there = tasks.flatMap((task) => {
    const sentence = stageSentence(task, now);
    const next = whatNext(task);
    return [
      `  ${task.state === 'done' ? 'Done' : 'Task file'}: ${cleanLine(task.file ?? '', 1000)}`,
      ...(sentence === null || task.state === 'done' ? [] : [`  ${taskName(task)} ${sentence}.${next}`]),
    ];
  });
  return [...sent, ...there];
}

function whatNext({ stage, stalled }: TaskStatus): string {
  if (stage === 'blocked')
    return ' It is new again when people write to its issue, when what it waits for is closed, or with: dispatcher release';
  return stalled === null ? '' : ' It is taken over by: dispatcher next --stalled';
}

function age(at: string, now: Instant): string {
  return shortDuration(now - (fromRfc3339(at) ?? now));
}
