// Where the agent's side works: in the task folder, which it finds by what it is told, as the agent's own user.

import { existsSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import type { AgentDeps } from '../agent/agent-deps.ts';
import { EXIT, lacksRights, messageOf, UserError } from '../core/errors.ts';
import { agentNamed } from '../core/mailbox/reference.ts';
import { type MailboxSettings, settingsOf, taskNames, USUAL_ATTEMPTS } from '../core/mailbox/settings.ts';
import { processesHere, processOf } from '../io/processes.ts';
import { mailboxesIn, openMailbox } from '../io/tasks/mailbox.ts';
import { readTask } from '../io/tasks/read-task.ts';
import { hasSettings, readSettings } from '../io/tasks/settings.ts';
import { watcherOf } from '../io/watch.ts';
import { visibleText } from '../core/task/untrusted.ts';
import { type GlobalOptions, type World } from './world.ts';

export interface AgentOptions extends GlobalOptions {
  readonly agent?: string;
  readonly tasks?: string;
}

/** The real dependencies of the agent's side. `named`: a task argument, whose path may tell where the task folder is. */
export async function agentDeps(world: World, options: AgentOptions, named?: string): Promise<AgentDeps> {
  const { environment, cwd } = world;
  const task = named ?? environment['DISPATCHER_FILE'];
  const path = task?.endsWith('.md') ? resolve(cwd, task) : undefined;
  const { tasksDirectory, settings, agents } = await office(world, options, path);
  const inPath = path === undefined ? undefined : below(tasksDirectory, path)?.split('/')[0];
  const user = agentUser();
  const agent = agentNamed({ option: options.agent ?? inPath, environment: environment['DISPATCHER_AGENT'], user }, [
    ...new Set([...agents, ...withRights(user, () => mailboxesIn(tasksDirectory))]),
  ]);
  const mailbox = openMailbox(tasksDirectory, agent, taskNames(settings));
  return {
    mailbox,
    tasksDirectory,
    stalledAfterMs: settings.stalledAfterMs,
    attempts: settings.attempts[agent] ?? USUAL_ATTEMPTS,
    processes: processesHere(),
    user,
    currentFile: environment['DISPATCHER_FILE'],
    // A server of tools, and a worker that waits, live for days: a laptop sleeps meanwhile.
    now: Date.now,
    ticks: () => performance.now(),
    randomWord: claimWord,
    processOf,
    read: (file) => readTask(tasksDirectory, agent, file),
    below: (typed) => below(join(tasksDirectory, agent), resolve(cwd, typed)),
    waitForChange: watcherOf(mailbox.folders, world.interrupted),
    isInterrupted: () => world.interrupted.aborted,
    print: world.stdout.write,
    say: (line) => (options.quiet ? undefined : world.stderr.write(`dispatcher: ${visibleText(line)}\n`)),
  };
}

/** The agents that are configured, or have a folder. */
export async function agentsHere(world: World, options: AgentOptions): Promise<readonly string[]> {
  const { tasksDirectory, agents } = await office(world, options, undefined);
  return [...new Set([...agents, ...mailboxesIn(tasksDirectory)])];
}

/** Does something as the agent's user; says how to let that user in when it may not. */
function withRights<T>(user: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw rightsError(user, error);
  }
}

/** The same error, or one that says how to mend it when it is about rights. */
export function rightsError(user: string, error: unknown): unknown {
  if (error instanceof UserError || !lacksRights(error)) return error;
  return new UserError(`${user} may not work in the task folder: ${messageOf(error)}`, {
    exitCode: EXIT.failure,
    code: 'no_rights',
    hint: waysIn(user),
    cause: error,
  });
}

// Each agent writes in its own folder alone: to open the whole of it to a group would let each write in those of all.
function waysIn(user: string): string {
  return user.includes(' ')
    ? `${user} has no account that a group could let in: start it with the number of the group of its folder (docker run --group-add NUMBER), or as a user that has one`
    : `agents get into the task folder by its group, and write in their own folder alone: sudo dispatcher doctor names the commands for ${user} (deploy/README.md, "Agents as users of their own")`;
}

/**
 * Who runs this, as claims name him and as an agent may be called. Without an account, as in a container, that is `user 1000`: no
 * agent's name, which a bare number might be.
 */
export function agentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

// One that no other claim has, which is all that it is for. Node's cryptography would take longer to load than a task to find.
function claimWord(): string {
  return Array.from({ length: 2 }, () => Math.random().toString(36).slice(2, 10)).join('');
}

interface Office {
  readonly tasksDirectory: string;
  readonly settings: MailboxSettings;
  readonly agents: readonly string[];
}

// --tasks or $DISPATCHER_TASKS; the path of a task; the configuration, where this user may read it.
async function office({ environment, cwd }: World, options: AgentOptions, path: string | undefined): Promise<Office> {
  const named = options.tasks ?? (options.config === undefined ? environment['DISPATCHER_TASKS'] : undefined);
  if (named !== undefined && named !== '') return folderOffice(resolve(cwd, named));
  const above = path === undefined || options.config !== undefined ? undefined : taskFolderAbove(path);
  if (above !== undefined) return folderOffice(above);
  const { loadConfig } = await import('../io/config-file.ts');
  try {
    const config = loadConfig(options.config, { environment, cwd });
    return {
      tasksDirectory: config.tasksDirectory,
      settings: settingsOf(config),
      agents: [...(config.agents?.keys() ?? [])],
    };
  } catch (error) {
    if (!(error instanceof UserError) || error.code === 'config_invalid') throw error;
    throw new UserError(`where the task folder is, nobody says: ${error.message}`, {
      exitCode: EXIT.invalid,
      code: error.code,
      hint: 'name the folder with --tasks or in $DISPATCHER_TASKS, such as /srv/agents/.agent-tasks; the configuration need not be readable then',
      cause: error,
    });
  }
}

function folderOffice(tasksDirectory: string): Office {
  // One that this user may not look at is told as such by whoever looks.
  if (isMissing(tasksDirectory)) {
    throw new UserError(`there is no task folder ${tasksDirectory}`, {
      exitCode: EXIT.usage,
      code: 'usage',
      hint: 'name the folder that has a folder for each agent: --tasks /srv/agents/.agent-tasks',
    });
  }
  return { tasksDirectory, settings: withRights(agentUser(), () => readSettings(tasksDirectory)), agents: [] };
}

function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

// The nearest folder above that a pass has left its settings in.
function taskFolderAbove(path: string): string | undefined {
  const parent = dirname(path);
  if (parent === path) return undefined;
  return existsSync(parent) && hasSettings(parent) ? parent : taskFolderAbove(parent);
}

// Also where the one is written through a link.
function below(folder: string, path: string): string | null {
  for (const [from, to] of [
    [folder, path],
    [real(folder), join(real(dirname(path)), path.slice(dirname(path).length))],
  ] as const) {
    if (to.startsWith(`${from}${sep}`)) return to.slice(from.length + 1);
  }
  return null;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
