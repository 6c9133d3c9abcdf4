// `work`: one task, one run. Takes the next task, runs a command on it, and hands it back by how that ended.

import { EXIT, type ExitCode, messageOf, UserError } from '../core/errors.ts';
import type { ProcessId } from '../core/mailbox/claim.ts';
import { stemOf } from '../core/mailbox/place.ts';
import type { Sighting } from '../core/mailbox/urgency.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { Output } from '../io/output-file.ts';
import type { Started } from '../io/run-command.ts';
import type { Moved } from '../io/tasks/moves.ts';
import type { AgentDeps } from './agent-deps.ts';
import { describeTask, type TaskDocument } from './describe.ts';
import { awaited, sayNothing } from './next.ts';
import { type Nothing, type TakenTask, takeNext } from './take.ts';
import { type Outcome, type Stop, type Verdict, verdict } from './verdict.ts';

/** What `work` needs besides: processes, and a file for what they print. */
export interface WorkDeps extends AgentDeps {
  readonly isRunnable: (program: string) => boolean;
  /** Starts a command that waits for its word; null: it cannot be started. */
  readonly start: (
    command: readonly string[],
    on: { readonly input: string; readonly facts: Readonly<Record<string, string>>; readonly onOutput: Output['take'] },
  ) => Promise<Started | null>;
  readonly keepOutput: (handle: number) => Output;
  readonly self: ProcessId;
  /** Waits for one of both: until something has happened, or for that time. Ends early when it is interrupted. */
  readonly waitFor: (happened: Promise<unknown>, ms: number) => Promise<void>;
}

export interface WorkOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly wait?: number;
}

const USUAL_TIMEOUT_MS = 2 * 60 * 60_000;
/** How often is looked whether the task is still ours. */
const LOOK_MS = 1000;

/** One task, one run. Answers 0 when the task is done or handed back by the command itself, 1 after a failed run. */
export async function work(deps: WorkDeps, command: readonly string[], options: WorkOptions): Promise<ExitCode> {
  const [program = ''] = command;
  // First of all: were the worker to fail with it still there, a path unit would start it again and again.
  deps.mailbox.answerWake();
  if (!deps.isRunnable(program)) {
    throw new UserError(`${cleanLine(program, 200)} cannot be started: there is no such program`, {
      exitCode: EXIT.usage,
      code: 'no_program',
      hint: 'name it as it is found in PATH, or by its path; no task was taken',
    });
  }
  const found = await awaited(deps, options.wait ?? 0, () => takeAwake(deps));
  if ('unreadable' in found) return sayNothing(deps, found);
  const document = describeTask(deps, found.task);
  // Archived just now: the next start takes the next one.
  if (document === null) return lost(deps, found.task);
  return run(deps, found, { document, command, timeoutMs: options.timeout ?? USUAL_TIMEOUT_MS });
}

// The file that wakes is taken away before looking: what is made new after that wakes again.
function takeAwake(deps: WorkDeps): TakenTask | Nothing {
  deps.mailbox.answerWake();
  return takeNext(deps, { reach: 'gone', holder: deps.self, blocksLost: true });
}

interface Job {
  readonly document: TaskDocument;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

async function run(deps: WorkDeps, taken: TakenTask, { document, command, timeoutMs }: Job): Promise<ExitCode> {
  const { task } = taken;
  const { handle, path } = deps.mailbox.createBeside(
    task,
    `${stemOf(task.path.split('/').at(-1) ?? '')}.output-${document.attempt}.txt`,
  );
  const output = deps.keepOutput(handle);
  deps.say(`${document.ref ?? task.home}: run ${document.attempt} of ${command[0]}; what it prints: ${path}`);
  const started = await deps.start(command, {
    input: inputOf(document),
    facts: factsOf(document),
    onOutput: output.take,
  });
  const isOurs = started !== null && begun(deps, taken, started);
  const stopped = started === null ? null : await watched(deps, taken, started, isOurs ? timeoutMs : 0);
  const end = started === null ? { code: null, signal: null } : await started.ended;
  output.close();
  return concluded(deps, taken, { end, stopped, output, timeoutMs });
}

// Known before it begins: were this process killed now, its command would go on and nobody would know. One that may not begin ends.
function begun({ mailbox }: WorkDeps, { task, claim, word }: TakenTask, { leader, begin, stop }: Started): boolean {
  let isOurs = false;
  try {
    isOurs = mailbox.renew(task, { ...claim, group: leader }, word);
  } finally {
    if (isOurs) begin();
    else stop();
  }
  return isOurs;
}

// Ends the run when its time is over, somebody says stop, or the task is not ours any more.
async function watched(
  deps: WorkDeps,
  { task, word }: TakenTask,
  started: Started,
  timeoutMs: number,
): Promise<Stop | null> {
  const until = deps.ticks() + timeoutMs;
  let isOver = false;
  let missing = 0;
  void started.ended.then(() => (isOver = true));
  for (;;) {
    await deps.waitFor(started.ended, Math.max(0, Math.min(LOOK_MS, until - deps.ticks())));
    if (isOver) return null;
    const hold = holdOn(deps, task, word);
    missing = hold === 'missing' ? missing + 1 : 0;
    const stop = deps.isInterrupted()
      ? 'interrupted'
      : deps.ticks() >= until
        ? 'timed out'
        : missing > 1
          ? 'task gone'
          : hold === 'taken over'
            ? 'task taken over'
            : null;
    if (stop === null) continue;
    started.stop();
    return stop;
  }
}

// Where the folder cannot be looked into for a moment, nobody has taken the task from us.
function holdOn({ mailbox }: WorkDeps, { home }: Sighting, word: string): 'ours' | 'missing' | 'taken over' {
  try {
    const now = mailbox.whereIs(home);
    if (now === null) return 'missing';
    return now.stage === 'doing' && !mailbox.isClaimed(now, word) ? 'taken over' : 'ours';
  } catch {
    return 'ours';
  }
}

function concluded(deps: WorkDeps, { task, word, work: before }: TakenTask, outcome: Outcome): ExitCode {
  const now = deps.mailbox.whereIs(task.home);
  if (now === null) return lost(deps, task);
  const name = task.ref || task.home;
  if (now.stage !== 'doing') {
    deps.say(`${name} was handed back by the command itself: ${now.stage}`);
    // What it printed goes along.
    deps.mailbox.handBack(now, now.stage, deps.mailbox.workOf(now), null);
    return EXIT.ok;
  }
  const { stage, record, exitCode, message } = verdict(deps, before, outcome);
  const moved = movedBack(deps, now, { stage, record, word });
  if (moved !== 'moved') {
    deps.say(`${name} was taken over by somebody else; this run counts for nothing`);
    return EXIT.failure;
  }
  deps.say(`${name} ${message}`);
  return exitCode;
}

// Moving the file is saying so, and needs no room: nobody is to do again what was done, because the disk is full.
function movedBack(
  { mailbox, say }: WorkDeps,
  now: Sighting,
  { stage, record, word }: Pick<Verdict, 'stage' | 'record'> & { readonly word: string },
): Moved {
  try {
    return mailbox.handBack(now, stage, record, word);
  } catch (error) {
    if (stage !== 'done') throw error;
    say(`how the run ended could not be written down: ${messageOf(error)}`);
    return mailbox.handBack(now, stage, null, word);
  }
}

function lost({ say }: WorkDeps, task: Sighting): ExitCode {
  say(
    `${task.ref || task.home} was archived meanwhile: its issue was closed, or taken from this agent; the run was ended`,
  );
  return EXIT.ok;
}

// The task, and behind it its news: an agent that reads only its input misses none.
function inputOf({ text, news }: TaskDocument): string {
  return [text, ...news.map((each) => each.text)].join('\n');
}

function factsOf(document: TaskDocument): Readonly<Record<string, string>> {
  const { frontMatter } = document;
  const word = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' ? cleanLine(String(value), 1000) : '';
  return {
    DISPATCHER_FILE: document.file,
    DISPATCHER_AGENT: document.agent,
    DISPATCHER_REF: document.ref ?? '',
    DISPATCHER_TITLE: document.title ?? '',
    DISPATCHER_URL: document.url ?? '',
    DISPATCHER_PRIORITY: document.priority ?? '',
    DISPATCHER_TRIGGER: word(frontMatter['trigger']),
    DISPATCHER_ATTEMPT: word(frontMatter['attempt']),
    DISPATCHER_RUN: String(document.attempt),
  };
}
