// The only file that joins the outside worlds to the commands.

import { createHash, randomInt } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DispatchDeps } from './commands/dispatch-deps.ts';
import type { ExplainDeps } from './commands/explain.ts';
import type { PauseDeps } from './commands/pause.ts';
import type { DashboardCommandDeps } from './commands/dashboard.ts';
import type { StatusDeps } from './commands/status.ts';
import { takeSnapshot } from './commands/take-snapshot.ts';
import type { Config } from './core/config.ts';
import { errorRecord } from './core/errors.ts';
import { parseFrontMatter } from './core/front-matter.ts';
import type { Snapshot } from './core/snapshot.ts';
import type { TaskFile } from './core/task-status.ts';
import type { DashboardDeps } from './dashboard/dashboard-deps.ts';
import { loadConfig } from './io/config-file.ts';
import { deadline } from './io/deadline.ts';
import type { GiteaClient } from './io/gitea/client.ts';
import { createLog, isJournal } from './io/log.ts';
import { appendDispatch, followDispatches, readDispatches } from './io/state/journal.ts';
import { takeLock } from './io/state/lock.ts';
import { readPauses, removePause, writePause } from './io/state/pauses.ts';
import { readState, setAside, stateFingerprint, writeState } from './io/state/store.ts';
import { followLines } from './io/tail.ts';
import { checkWay, countOpenTasks, draftTask, findExisting, newestTaskTime, taskPath } from './io/tasks/folder.ts';
import { readTask } from './io/tasks/read-task.ts';
import { indexTaskFiles, listTaskFiles, readBeginning } from './io/tasks/task-list.ts';
import type { TaskTemplate } from './io/tasks/template.ts';
import { readPassword, readToken } from './io/token.ts';
import { terminalWidth } from './views/terminal.ts';

/** Everything about the running process that commands may depend on. A test passes its own. */
export interface World {
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly version: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted when the user or the system asks the command to stop. */
  readonly interrupted: AbortSignal;
  /** Aborted when the command is over: a request that nobody waits for any more must not keep the process alive. */
  readonly over: AbortSignal;
}

export interface Output {
  readonly fd: number;
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly write: (text: string) => void;
}

export interface GlobalOptions {
  readonly config?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** All Gitea requests of a pass end within this time, so that the pass ends within 45 s with the wait for its slot. */
const NETWORK_BUDGET_MS = 38_000;

/** How much of the log's end the dashboard reads at first, and how much of a line. Bytes. */
const LOG_SHOWN = 256 * 1024;
const LOG_LINE = 4096;

/** The real dependencies of `dispatch`. Throws when the configuration cannot be had. */
export function dispatchDeps(world: World, options: GlobalOptions): DispatchDeps {
  const config = loadConfig(options.config, world);
  const warn = (message: string): void => world.stderr.write(`dispatcher: warning: ${message}\n`);
  // Inside the pass: a token that cannot be read is a failed pass, which 'status' shows.
  const gitea = lazily(async () => giteaClient(world, config, options));
  const print = (line: string): void => (options.quiet ? undefined : world.stdout.write(`${line}\n`));
  return {
    config,
    version: world.version,
    now,
    sleep: async (ms) => sleep(ms, world.interrupted),
    randomWord,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    listIssues: async () => {
      const { listOpenIssues } = await import('./io/gitea/listing.ts');
      return listOpenIssues(await gitea(), config);
    },
    readIssue: issueReader(config, gitea),
    template: templateFor(config),
    tasks: {
      path: (candidate) => taskPath(config, candidate),
      checkWay: (candidate) => checkWay(config, candidate),
      existing: (candidate) => findExisting(config, candidate),
      openTasks: (agent) => countOpenTasks(config, agent),
      newestTime: () => newestTaskTime(config),
      published,
      draft: (candidate, text) => draftTask(config, candidate, text, randomWord()),
    },
    state: {
      lock: async (seconds) => takeLock(config.stateDirectory, seconds),
      read: () => readState(config.stateDirectory),
      write: (state) => writeState(config.stateDirectory, state),
      setAside: (at) => setAside(config.stateDirectory, at),
      pauses: () => readPauses(config.stateDirectory),
    },
    journal: {
      append: (entry) => appendDispatch(config.stateDirectory, entry),
      read: () => readDispatches(config.stateDirectory),
    },
    log: createLog({ config, now, print, toJournal: isJournal(world.stdout.fd, world.environment), warn }),
    say: (line) => (world.stdout.isTTY ? print(line) : undefined),
    print: (text) => world.stdout.write(text),
    isInterrupted: () => world.interrupted.aborted,
  };
}

/** The real dependencies of `status`: local files only. Throws when the configuration cannot be had. */
export function statusDeps(world: World, options: GlobalOptions): StatusDeps {
  const config = loadConfig(options.config, world);
  return {
    config,
    version: world.version,
    now,
    sleep: async (ms) => sleep(ms, world.interrupted),
    isInterrupted: () => world.interrupted.aborted,
    environment: world.environment,
    stdout: world.stdout,
    stderr: world.stderr,
    readState: () => readState(config.stateDirectory),
    readPauses: () => readPauses(config.stateDirectory),
    readDispatches: () => readDispatches(config.stateDirectory),
    listTasks: () => listTaskFiles(config.tasksDirectory),
  };
}

/** The real dependencies of `explain`: local files, and Gitea only for an issue that these do not know. */
export function explainDeps(world: World, options: GlobalOptions): ExplainDeps {
  const status = statusDeps(world, options);
  const { config } = status;
  return {
    ...status,
    width: terminalWidth(world),
    print: world.stdout.write,
    readIssue: issueReader(
      config,
      lazily(async () => giteaClient(world, config, options)),
    ),
  };
}

/** The real dependencies of `pause` and `resume`. */
export function pauseDeps(world: World, options: GlobalOptions): PauseDeps {
  const config = loadConfig(options.config, world);
  const warn = (message: string): void => world.stderr.write(`dispatcher: warning: ${message}\n`);
  const print = (line: string): void => (options.quiet ? undefined : world.stdout.write(`${line}\n`));
  return {
    config,
    now,
    user: world.environment['SUDO_USER'] || world.environment['USER'] || null,
    read: () => readPauses(config.stateDirectory),
    write: (pause) => writePause(config.stateDirectory, pause),
    remove: (agent) => removePause(config.stateDirectory, agent),
    log: createLog({ config, now, print, toJournal: isJournal(world.stdout.fd, world.environment), warn }),
    print: world.stdout.write,
  };
}

/** The real dependencies of `dashboard`: local files, read again only where they changed. */
export function dashboardDeps(world: World, options: GlobalOptions): DashboardCommandDeps {
  const config = loadConfig(options.config, world);
  const index = indexTaskFiles(config.tasksDirectory);
  const dispatches = followDispatches(config.stateDirectory);
  let files: readonly TaskFile[] = [];
  const snapshot = (): Snapshot =>
    takeSnapshot({
      config,
      version: world.version,
      now,
      readState: () => readState(config.stateDirectory),
      readPauses: () => readPauses(config.stateDirectory),
      readDispatches: () => dispatches(now()).recent,
      listTasks: () => files,
    });
  const deps: Omit<DashboardDeps, 'password'> = {
    config,
    version: world.version,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    now,
    // Not cut short when the command is to stop: until the open pages are closed, it would look again and again.
    sleep: async (ms) => sleep(ms, new AbortController().signal),
    fingerprint: () => `${stateFingerprint(config.stateDirectory)} ${index.fingerprint()}`,
    look: (isNew) => {
      try {
        if (isNew) files = index.list();
        return { kind: 'snapshot', snapshot: snapshot() };
      } catch (error) {
        return { kind: 'unreadable', error: errorRecord(error) };
      }
    },
    history: () => dispatches(now()),
    newLogLines: followLines(config.logFile, { behind: LOG_SHOWN, longestLine: LOG_LINE }),
    readTask: (agent, file) => readTask(config.tasksDirectory, agent, file),
    source: (name) => readFileSync(fileURLToPath(new URL(`../templates/dashboard/${name}`, import.meta.url)), 'utf8'),
  };
  return {
    config,
    print: (text) => (options.quiet ? undefined : world.stdout.write(text)),
    warn: (message) => world.stderr.write(`dispatcher: warning: ${message}\n`),
    readPassword,
    serve: async (host, port, password) => {
      const { serve } = await import('#dashboard');
      return serve({ ...deps, password }, host, port);
    },
    interrupted: new Promise((resolve) => {
      world.interrupted.addEventListener('abort', () => resolve(), { once: true });
    }),
  };
}

// Loaded when the first request is made: every millisecond of start-up is paid once a minute.
async function giteaClient(world: World, config: Config, options: GlobalOptions): Promise<GiteaClient> {
  const token = readToken(config, world.environment);
  if (token.warning) world.stderr.write(`dispatcher: warning: ${token.warning}\n`);
  const { createClient } = await import('./io/gitea/client.ts');
  const end = now() + NETWORK_BUDGET_MS;
  const trace = (line: string): void => world.stderr.write(`dispatcher: ${line}\n`);
  return createClient({
    url: config.url,
    token: token.value,
    tokenSource: token.source,
    version: world.version,
    signal: deadline(NETWORK_BUDGET_MS, world.interrupted, world.over).signal,
    timeLeft: () => end - now(),
    sleep: async (ms) => sleep(ms, world.interrupted),
    random: Math.random,
    ...(options.verbose ? { trace } : {}),
  });
}

function issueReader(config: Config, gitea: () => Promise<GiteaClient>): DispatchDeps['readIssue'] {
  return async (at) => {
    const { readFullIssue } = await import('./io/gitea/full-issue.ts');
    return readFullIssue(await gitea(), at, config.url);
  };
}

// Milliseconds with a real fraction, which Date does not have.
function now(): number {
  return performance.timeOrigin + performance.now();
}

// Ends early when the command is asked to stop: the caller looks at that itself.
async function sleep(ms: number, interrupted: AbortSignal): Promise<void> {
  if (ms <= 0 || interrupted.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      interrupted.removeEventListener('abort', done);
      resolve();
    }
    interrupted.addEventListener('abort', done);
  });
}

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function randomWord(): string {
  return Array.from({ length: 12 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

function published(file: string) {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return null;
  return {
    dispatchedAt: parseFrontMatter(readBeginning(file) ?? '')?.get('dispatchedAt'),
    appearedAt: stat.ctimeMs,
  };
}

// Each template is loaded once, and only when a task of such an agent is to be written.
function templateFor(config: Config): (agent: string) => Promise<TaskTemplate> {
  const loaded = new Map<string | null, () => Promise<TaskTemplate>>();
  const builtIn = fileURLToPath(new URL('../templates', import.meta.url));
  return async (agent) => {
    const file = config.agents?.get(agent)?.template ?? config.template;
    const known =
      loaded.get(file) ??
      lazily(async () => {
        const { loadTemplate } = await import('./io/tasks/template.ts');
        return loadTemplate(file, builtIn);
      });
    loaded.set(file, known);
    return known();
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
