// `done`, `block`, `release`: a task goes to where it belongs now, with what is to be known of it.

import { toRfc3339 } from '../core/clock.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import { type Stage, STAGES } from '../core/mailbox/place.ts';
import { isMeant, taskReference } from '../core/mailbox/reference.ts';
import type { Sighting } from '../core/mailbox/urgency.ts';
import { afterHandBack, afterRelease, type WorkEvent } from '../core/mailbox/work-record.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { AgentDeps } from './agent-deps.ts';

export interface Words {
  readonly reason?: string;
  readonly pr?: string;
  readonly note?: string;
}

type Verb = 'done' | 'block' | 'release';

const BECOMES: Readonly<Record<Verb, { readonly stage: Stage; readonly outcome: WorkEvent['outcome'] }>> = {
  done: { stage: 'done', outcome: 'done' },
  block: { stage: 'blocked', outcome: 'blocked' },
  release: { stage: 'new', outcome: 'released' },
};

/** Hands a task back, and says where it is then. */
export function handBack(deps: AgentDeps, verb: Verb, named: string | undefined, words: Words): ExitCode {
  const task = findTask(deps, named);
  const path = giveBack(deps, verb, task, words);
  deps.say(`${task.ref || task.home} is ${{ done: 'done', block: 'blocked', release: 'new again' }[verb]}: ${path}`);
  return EXIT.ok;
}

/** Hands a task back; answers its absolute path then. */
export function giveBack({ mailbox, user, now }: AgentDeps, verb: Verb, task: Sighting, words: Words): string {
  const { stage, outcome } = BECOMES[verb];
  const event = {
    at: toRfc3339(now()),
    by: user,
    outcome,
    reason: words.reason ?? null,
    pullRequest: words.pr ?? null,
    note: words.note ?? null,
  };
  const record = (verb === 'release' ? afterRelease : afterHandBack)(mailbox.workOf(task), event);
  const moved = mailbox.handBack(task, stage, record, null);
  const path = `${mailbox.path}/${stage === 'new' ? '' : `${stage}/`}${task.home}`;
  if (moved === 'taken')
    throw refusal(`${path} is another file, and nothing is put over it`, 'in_the_way', 'look at it, and move it away');
  if (moved === 'gone') throw noTask(`${task.ref || task.home} has just been moved by somebody else`);
  return path;
}

/** The task that is meant: by reference, number or path; by the environment; or the one that is taken. */
export function findTask(deps: AgentDeps, named: string | undefined): Sighting {
  const meant = named ?? deps.currentFile;
  if (meant === undefined) {
    const { tasks } = deps.mailbox.look(['doing']);
    return theOne(tasks, `${deps.mailbox.agent} has no task in doing/`);
  }
  const reference = taskReference(meant);
  if (reference.kind === 'path') return byPath(deps, reference.path);
  const { tasks } = deps.mailbox.look(STAGES);
  const found = tasks.filter(({ ref }) => isMeant(reference, ref));
  const doing = found.filter(({ stage }) => stage === 'doing');
  return theOne(doing.length > 0 ? doing : found, `${deps.mailbox.agent} has no task ${cleanLine(meant, 80)}`);
}

function byPath(deps: AgentDeps, typed: string): Sighting {
  const { mailbox } = deps;
  const path = deps.below(typed);
  if (path === null)
    throw refusal(
      `${cleanLine(typed, 200)} is not in ${mailbox.path}`,
      'usage',
      'name a task of this agent, or another agent with --agent',
      EXIT.usage,
    );
  const task = mailbox.at(path);
  if (task) return task;
  throw noTask(`${cleanLine(typed, 200)} is not there any more, and in no other place of ${mailbox.agent}`);
}

function theOne(tasks: readonly Sighting[], none: string): Sighting {
  const [task, other] = tasks;
  if (task === undefined) throw noTask(none);
  if (other === undefined) return task;
  const names = tasks.slice(0, 20).map(({ ref, path }) => cleanLine(ref || path, 80));
  throw refusal(
    `it is not clear which task is meant: ${names.join(', ')}`,
    'usage',
    'name it: dispatcher done acme/app#5',
    EXIT.usage,
  );
}

function noTask(message: string): UserError {
  return new UserError(message, {
    exitCode: EXIT.noTask,
    code: 'no_task',
    hint: 'see what there is: dispatcher status; a task whose issue was closed or taken away is in archive/',
  });
}

function refusal(message: string, code: string, hint: string, exitCode: ExitCode = EXIT.failure): UserError {
  return new UserError(message, { exitCode, code, hint });
}
