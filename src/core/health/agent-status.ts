// Each agent's part of the picture: its tasks, and how many there are of each kind.

import type { Config } from '../config/config.ts';
import type { RestRecord, RowRecord } from '../state/decision-record.ts';
import { inTurn, rowTask, type TaskFile, type TaskState, type TaskStatus } from '../task/status.ts';

export interface AgentStatus {
  readonly name: string;
  readonly directory: string;
  readonly counts: Readonly<Record<TaskState, number>> & WorkCounts;
  /** Of a long backlog the first ones: `rest` says how many more are counted. */
  readonly tasks: readonly TaskStatus[];
}

/** Of the tasks that are dispatched: how many are new, taken, stalled (which are taken as well), and blocked. */
export interface WorkCounts {
  readonly new: number;
  readonly doing: number;
  readonly stalled: number;
  readonly blocked: number;
}

type Came = Pick<RowRecord, 'outcome' | 'reason'>;

/** The agents by name: those that are configured, have tasks, or are to get some. */
export function agentsOf(
  config: Pick<Config, 'servers' | 'agents' | 'tasksDirectory'>,
  files: readonly TaskFile[],
  rows: readonly RowRecord[],
  allRest: readonly RestRecord[],
): readonly AgentStatus[] {
  const rest = allRest.filter((each) => hasTable(each));
  const named = [...files, ...rows, ...rest].map(({ agent }) => agent);
  const names = [...(config.agents?.keys() ?? []), ...named];
  const tasks = new Map<string, TaskStatus[]>([...new Set(names)].toSorted().map((name) => [name, []]));
  for (const row of rows) tasks.get(row.agent)?.push(rowTask(config.servers, row));
  for (const file of files) tasks.get(file.agent)?.push(file.task);
  return [...tasks].map(([name, list]) => ({
    name,
    directory: `${config.tasksDirectory}/${name}`,
    counts: {
      next: countOf(list, 'next'),
      waiting: countOf(list, 'waiting') + countIn(rest.filter((each) => each.agent === name && isWaiting(each))),
      dispatched: countOf(list, 'dispatched'),
      done: countOf(list, 'done'),
      skipped: countOf(list, 'skipped') + countIn(rest.filter((each) => each.agent === name && isPassedOver(each))),
      new: list.filter(({ stage }) => stage === 'new').length,
      doing: list.filter(({ stage }) => stage === 'doing').length,
      stalled: list.filter(({ stalled }) => stalled !== null).length,
      blocked: list.filter(({ stage }) => stage === 'blocked').length,
    },
    tasks: inTurn(list),
  }));
}

/** Whether a candidate was passed over. That it is dispatched or done already is no news: its file is in the tables. */
export function isPassedOver({ outcome, reason }: Came): boolean {
  return outcome === 'skipped' && reason !== 'dispatched' && reason !== 'done';
}

/** Whether it waits for its slot. */
export function isWaiting({ outcome }: Came): boolean {
  return outcome === 'next' || outcome === 'waiting';
}

/** A login that is no agent has no table. */
export function hasTable({ reason }: Came): boolean {
  return reason !== 'unknown_agent' && reason !== 'unsafe_name';
}

/** How many candidates they stand for. */
export function countIn(rest: readonly RestRecord[]): number {
  return rest.reduce((all, { count }) => all + count, 0);
}

function countOf(tasks: readonly TaskStatus[], state: TaskState): number {
  return tasks.filter((task) => task.state === state).length;
}

/** How many tasks of an agent are counted and not listed. */
export function notListed({ counts, tasks }: Pick<AgentStatus, 'counts' | 'tasks'>): number {
  const { next, waiting, dispatched, done, skipped } = counts;
  return next + waiting + dispatched + done + skipped - tasks.length;
}
