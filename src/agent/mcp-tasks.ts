// Tasks as the protocol names and shows them.

import { EXIT, UserError } from '../core/errors.ts';
import type { Stage } from '../core/mailbox/place.ts';
import type { Sighting } from '../core/mailbox/urgency.ts';
import { byUrgency } from '../core/mailbox/urgency.ts';
import { parseFrontMatter } from '../core/task/front-matter.ts';
import { fileTask } from '../core/task/status.ts';
import type { AgentDeps } from './agent-deps.ts';
import { describeTask, type TaskDocument } from './describe.ts';
import { stallOfTask } from './take.ts';

export interface ListedTask {
  readonly task: Sighting;
  readonly title: string | null;
  readonly priority: string | null;
  readonly stalled: boolean;
  /** What the last run, or hand-back, said. */
  readonly reason: string | null;
}

const PREFIX = 'dispatcher://task/';
const MOST_LISTED = 200;

/** The address of a task, the same in each stage. */
export function uriOf({ home }: Pick<Sighting, 'home'>): string {
  return `${PREFIX}${home
    .split('/')
    .map((name) => encodeURIComponent(name))
    .join('/')}`;
}

/** The path of an address, which anybody may have made up. */
export function pathOf(uri: string): string {
  try {
    return decodeURIComponent(uri.slice(PREFIX.length));
  } catch {
    return '';
  }
}

/** Tasks with what their files say, most urgent first. */
export function listed(deps: AgentDeps, stages: readonly Stage[]): readonly ListedTask[] {
  const { tasks } = deps.mailbox.look(stages);
  return tasks
    .toSorted(byUrgency)
    .slice(0, MOST_LISTED)
    .map((task) => {
      const text = deps.read(task.path)?.text ?? '';
      const { title, priority } = fileTask(task.path, task.stage, parseFrontMatter(text) ?? new Map());
      const taken = task.stage === 'doing' ? deps.mailbox.takersOf(task) : null;
      const reason = deps.mailbox.workOf(task).events.at(-1)?.reason ?? null;
      return { task, title, priority, stalled: taken !== null && stallOfTask(deps, taken) !== null, reason };
    });
}

/** The task of a path and its news, as one text. Throws when there is none. */
export function textOf(deps: AgentDeps, home: string): string {
  const task = deps.mailbox.whereIs(home);
  const document = task && describeTask(deps, task);
  if (document) return wholeText(document);
  throw new UserError('there is no such task', { exitCode: EXIT.noTask, code: 'no_task' });
}

/** A task and its news, as one text. */
export function wholeText({ text, news }: TaskDocument): string {
  return [text, ...news.map((each) => each.text)].join('\n');
}
