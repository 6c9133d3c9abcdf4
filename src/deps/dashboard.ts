import { readFileSync } from 'node:fs';
import type { DashboardCommandDeps } from '../commands/dashboard.ts';
import { takeSnapshot } from '../commands/take-snapshot.ts';
import type { Config } from '../core/config/config.ts';
import { errorRecord } from '../core/errors.ts';
import { isAboutTimer, type Timer } from '../core/health/health.ts';
import { type Snapshot, withTimer } from '../core/health/snapshot.ts';
import type { TaskFile } from '../core/task/status.ts';
import type { DashboardDeps } from '../dashboard/dashboard-deps.ts';
import { loadConfig } from '../io/config-file.ts';
import { readMemory } from '../io/state/history.ts';
import { followDispatches } from '../io/state/journal.ts';
import { followPast, historyFingerprint } from '../io/state/past.ts';
import { stateFingerprint } from '../io/state/store.ts';
import { followLines } from '../io/tail.ts';
import { readTask } from '../io/tasks/read-task.ts';
import { indexTaskFiles } from '../io/tasks/task-list.ts';
import { readPassword } from '../io/token.ts';
import { localFiles } from './local-files.ts';
import { type GlobalOptions, packaged, sleep, warner, type World } from './world.ts';

/** How much of the log's end is read at first, and how much of a line. Bytes. */
const LOG_SHOWN = 256 * 1024;
const LOG_LINE = 4096;
const TIMER_MS = 10_000;
/** Unlike a command that ends, the dashboard must follow the clock when it is set, and over suspended time. */
const now = Date.now;

/** The real dependencies of `dashboard`: local files, read again only where they changed. */
export function dashboardDeps(world: World, options: GlobalOptions): DashboardCommandDeps {
  const config = loadConfig(options.config, world);
  const index = indexTaskFiles(config);
  const dispatches = followDispatches(config.stateDirectory);
  let files: readonly TaskFile[] = [];
  const snapshot = (): Snapshot =>
    takeSnapshot({
      ...localFiles(config, world.version, now),
      readDispatches: () => dispatches(now()).recent,
      listTasks: () => files,
    });
  const past = followPast(config.stateDirectory);
  const timer = createTimerWatch(world, config);
  const deps: Omit<DashboardDeps, 'password'> = {
    config,
    version: world.version,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    now,
    // Not cut short when the command is to stop: until the open pages are closed, it would look again and again.
    sleep: async (ms) => sleep(ms, new AbortController().signal),
    fingerprint: () =>
      [
        stateFingerprint(config.stateDirectory),
        historyFingerprint(config.stateDirectory, now()),
        index.fingerprint(),
        timer.state(),
      ].join(' '),
    look: (isNew) => {
      try {
        if (isNew) files = index.list();
        return { kind: 'snapshot', snapshot: timer.added(snapshot()) };
      } catch (error) {
        return { kind: 'unreadable', error: errorRecord(error) };
      }
    },
    history: () => dispatches(now()),
    past,
    durations: () => readMemory(config.stateDirectory),
    newLogLines: followLines(config.logFile, { behind: LOG_SHOWN, longestLine: LOG_LINE }),
    readTask: (agent, file) => readTask(config.tasksDirectory, agent, file),
    source: (name) => readFileSync(packaged(`templates/dashboard/${name}`), 'utf8'),
  };
  return {
    config,
    print: (text) => (options.quiet ? undefined : world.stdout.write(text)),
    warn: warner(world),
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

// Asks systemd while the passes are missing, now and then and in the background: nobody waits for the answer.
function createTimerWatch(world: World, config: Config) {
  let timer: Timer = { state: null, unit: null };
  let askedAt = Number.NEGATIVE_INFINITY;
  const ask = async (): Promise<void> => {
    askedAt = now();
    const { readTimer } = await import('../io/systemd.ts');
    timer = await readTimer(world.environment, config.file);
  };
  return {
    state: () => timer.state,
    added: (snapshot: Snapshot): Snapshot => {
      if (!isAboutTimer(snapshot.health)) return snapshot;
      if (now() - askedAt > TIMER_MS) void ask();
      return withTimer(snapshot, timer);
    },
  };
}
