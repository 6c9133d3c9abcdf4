import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { isatty } from 'node:tty';
import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Monitors } from '../pass/tell-monitors.ts';
import type { Config } from '../core/config/config.ts';
import type { Server } from '../core/config/servers.ts';
import { actAsOwner } from '../io/acting.ts';
import { readToken, type Token } from '../io/token.ts';
import { loadKnownConfig } from '../io/config-cache.ts';
import { readUptime } from '../io/uptime.ts';
import { openJournal } from '../io/state/journal.ts';
import { takeLock } from '../io/state/lock.ts';
import { readPauses } from '../io/state/pauses.ts';
import { shutLog } from '../io/state/rights.ts';
import { openState } from '../io/state/store.ts';
import { openTrying } from '../io/state/trying.ts';
import type { TaskTemplate } from '../io/tasks/template.ts';
import { sharedHistory } from './share-history.ts';
import { type Connection, giteaClient, giteaSlices, NETWORK_BUDGET_MS } from './gitea.ts';
import { issueLister } from './listing.ts';
import { ofEach } from './servers.ts';
import {
  commandLine,
  type GlobalOptions,
  lazily,
  logOf,
  now,
  packaged,
  printer,
  sleep,
  tried,
  warner,
  type World,
} from './world.ts';
import { storeFor } from './store.ts';
import { randomWord, taskFolder } from './task-folder.ts';

interface Start {
  readonly dryRun?: boolean;
  /** The command line says that a timer started it. */
  readonly timer?: boolean;
}

/** The real dependencies of `dispatch`. Throws when the configuration cannot be had. */
export async function dispatchDeps(world: World, options: GlobalOptions & Start): Promise<DispatchDeps> {
  const config = await loadKnownConfig(options.config, world, now);
  // Root may read a token and the address of the store, and the owner of the office perhaps not.
  const tokenOf = tokensOf(config, world);
  const store = storeFor(world, config, !options.dryRun);
  if (!options.dryRun) actAsOwner(config);
  const endsAt = now() + NETWORK_BUDGET_MS;
  const tasks = taskFolder(config);
  const journal = openJournal(config);
  const history = sharedHistory(config, { stageOf: tasks.stageOf, store, warn: warner(world) });
  return {
    config,
    version: world.version,
    ...startedBy(world, options),
    now,
    uptime: readUptime,
    timeLeft: () => endsAt - now(),
    sleep: async (ms) => sleep(ms, world.interrupted),
    randomWord,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    listIssues: issueLister(world, config, options, (server) => tokenOf(server)()),
    gitea: giteaSlices(world, config, connections(world, config, options, { tokenOf, endsAt })),
    onDispatch: hookOf(world, config),
    markdown: lazily(async () => (await import('#markdown')).visibleMarkdown),
    template: templateFor(config),
    tasks,
    state: {
      ...openState(config),
      lock: async (seconds) => {
        shutLog(config.logFile);
        return takeLock(config.stateDirectory, seconds);
      },
      pauses: () => readPauses(config.stateDirectory),
    },
    store,
    trying: openTrying(config),
    journal: {
      ...journal,
      append: (entry) => {
        journal.append(entry);
        history.dispatched(entry);
      },
      appendArchived: (entry) => {
        journal.appendArchived(entry);
        history.archived(entry);
      },
    },
    noteHistory: history.note,
    shareHistory: history.share,
    log: logOf(world, config, options),
    monitors: monitorsOf(world, config),
    commandLine: commandLine(options),
    isWatched: world.stdout.isTTY,
    say: (line) => (world.stdout.isTTY ? printer(world, options)(line) : undefined),
    print: (text) => world.stdout.write(text),
    isInterrupted: () => world.interrupted.aborted,
  };
}

function hookOf(world: World, config: Config): DispatchDeps['onDispatch'] {
  return async (record, ms) => {
    const { runHook } = await import('../io/hook.ts');
    const folder = config.file === null ? '/' : dirname(config.file);
    await runHook(config.onDispatch?.command ?? [], ms, record, { ...world, folder });
  };
}

function monitorsOf(world: World, config: Config): Monitors {
  const { pingUrl, metricsFile } = config.monitor;
  return {
    ping:
      pingUrl === null
        ? null
        : async (failure) => {
            const { ping } = await import('../io/ping.ts');
            const userAgent = `dispatcher/${world.version} (agent-dispatcher)`;
            await ping(pingUrl, failure, { userAgent, environment: world.environment });
          },
    writeMetrics:
      metricsFile === null
        ? null
        : async () => {
            const { writeMetrics } = await import('./local-files.ts');
            writeMetrics(config, world.version, metricsFile);
          },
    warn: warner(world),
  };
}

// Each template is loaded once, and only when a task of such an agent is to be written.
function templateFor(config: Config): (agent: string) => Promise<TaskTemplate> {
  const loaded = new Map<string | null, () => Promise<TaskTemplate>>();
  return async (agent) => {
    const file = config.agents?.get(agent)?.template ?? config.template;
    const known =
      loaded.get(file) ??
      lazily(async () => {
        const [{ loadTemplate }, { sampleData }] = await Promise.all([
          import('../io/tasks/template.ts'),
          import('../core/task/sample.ts'),
        ]);
        const template = loadTemplate(file, packaged('templates'));
        // What fails with the sample fails with every issue: it is the template's fault, and no issue is backed off for it.
        if (file !== null) template(sampleData());
        return template;
      });
    loaded.set(file, known);
    return known();
  };
}

function startedBy(
  world: World,
  options: GlobalOptions & Start,
): Pick<DispatchDeps, 'trigger' | 'isTyped' | 'isQuiet'> {
  const isTimer = isTimers(world, options);
  return {
    trigger: isTimer ? 'timer' : 'manual',
    // Not process.stdin: that makes a stream of it.
    isTyped: !isTimer && isatty(0),
    isQuiet: options.quiet ?? false,
  };
}

// A unit that was written before there was `--timer`: systemd says which process it started, and a shell in a unit is not it.
function isTimers({ environment }: World, { timer }: Start): boolean {
  return timer === true || environment['SYSTEMD_EXEC_PID'] === String(process.pid);
}

function connections(
  world: World,
  { servers }: Config,
  options: GlobalOptions,
  { tokenOf, endsAt }: { readonly tokenOf: (server: Server) => () => Token; readonly endsAt: number },
): (server: Server) => Connection {
  return ofEach(servers, (server) => {
    const token = tokenOf(server);
    return { token, client: lazily(async () => giteaClient(world, server, options, token(), endsAt)) };
  });
}

// Each is read now, whether or not it will be needed. One that cannot be read is told inside the pass: that is a failed one then, which
// `status` shows.
function tokensOf({ servers }: Config, { environment }: World): (server: Server) => () => Token {
  const tokenOf = ofEach(servers, (server) => tried(() => readToken(server, environment)));
  servers.forEach((server) => void tokenOf(server));
  return tokenOf;
}
