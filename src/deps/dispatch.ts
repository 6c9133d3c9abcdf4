import { createHash } from 'node:crypto';
import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Monitors } from '../pass/tell-monitors.ts';
import type { Config } from '../core/config/config.ts';
import { loadConfig } from '../io/config-file.ts';
import { readUptime } from '../io/uptime.ts';
import { appendArchived, appendDispatch, readDispatches } from '../io/state/journal.ts';
import { takeLock } from '../io/state/lock.ts';
import { readPauses } from '../io/state/pauses.ts';
import { readState, setAside, writeState } from '../io/state/store.ts';
import type { TaskTemplate } from '../io/tasks/template.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import { passHistory } from './history.ts';
import { giteaClient, issueReader, withProgress } from './gitea.ts';
import {
  commandLine,
  type GlobalOptions,
  lazily,
  logOf,
  now,
  packaged,
  printer,
  sleep,
  warner,
  type World,
} from './world.ts';
import { readToken } from '../io/token.ts';
import { randomWord, taskFolder } from './task-folder.ts';

/** The real dependencies of `dispatch`. Throws when the configuration cannot be had. */
export function dispatchDeps(world: World, options: GlobalOptions): DispatchDeps {
  const config = loadConfig(options.config, world);
  // Inside the pass: a token that cannot be read is a failed pass, which 'status' shows.
  const gitea = lazily(async () => giteaClient(world, config, options));
  const tasks = taskFolder(config);
  const history = passHistory(config, tasks.stageOf, now, warner(world));
  return {
    config,
    version: world.version,
    now,
    uptime: readUptime,
    sleep: async (ms) => sleep(ms, world.interrupted),
    randomWord,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    listIssues: async () => {
      const { listOpenIssues } = await import('../io/gitea/listing.ts');
      const client = await gitea();
      return withProgress(world, async (progress) => listOpenIssues(client, config, progress));
    },
    readIssue: issueReader(config, gitea),
    peekIssue: async (at) => {
      const { peekIssue } = await import('../io/gitea/full-issue.ts');
      return peekIssue(await gitea(), at, config.url);
    },
    readAssigner: async (at, login) => {
      const { readAssigner } = await import('../io/gitea/full-issue.ts');
      return readAssigner(await gitea(), at, login);
    },
    leaveReceipt: receiptOf(config, gitea),
    saveAttachments: saverOf(world, config),
    onDispatch: hookOf(world, config),
    markdown: lazily(async () => (await import('#markdown')).visibleMarkdown),
    template: templateFor(config),
    tasks,
    state: {
      lock: async (seconds) => takeLock(config.stateDirectory, seconds),
      read: () => readState(config.stateDirectory),
      write: (state) => writeState(config.stateDirectory, state),
      setAside: (at) => setAside(config.stateDirectory, at),
      pauses: () => readPauses(config.stateDirectory),
    },
    journal: {
      append: (entry) => {
        appendDispatch(config.stateDirectory, entry);
        history.dispatched(entry);
      },
      read: () => readDispatches(config.stateDirectory),
      appendArchived: (entry) => {
        appendArchived(config.stateDirectory, entry);
        history.archived(entry);
      },
    },
    noteHistory: history.note,
    log: logOf(world, config, options),
    monitors: monitorsOf(world, config),
    commandLine: commandLine(options),
    say: (line) => (world.stdout.isTTY ? printer(world, options)(line) : undefined),
    print: (text) => world.stdout.write(text),
    isInterrupted: () => world.interrupted.aborted,
  };
}

function receiptOf(config: Config, gitea: () => Promise<GiteaClient>): DispatchDeps['leaveReceipt'] {
  const { reaction, label, comment } = config.receipt;
  if (reaction === null && label === null && !comment) return null;
  return async (receipt) => {
    const { leaveReceipt } = await import('../io/gitea/receipt.ts');
    return leaveReceipt(await gitea(), config.receipt, receipt);
  };
}

function saverOf({ environment }: World, config: Config): DispatchDeps['saveAttachments'] {
  if (config.attachments === null) return null;
  const { maxBytes, types } = config.attachments;
  return async (issue, file) => {
    const { saveAttachments } = await import('../io/gitea/attachments.ts');
    const token = readToken(config, environment).value;
    const { url: serverUrl, tasksDirectory } = config;
    return saveAttachments(issue, file, { serverUrl, token, tasksDirectory, maxBytes, types });
  };
}

function hookOf({ environment }: World, { onDispatch }: Config): DispatchDeps['onDispatch'] {
  if (onDispatch === null) return null;
  return async (record) => {
    const { runHook } = await import('../io/hook.ts');
    await runHook(onDispatch.command, onDispatch.timeoutMs, record, environment);
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
            await ping(pingUrl, failure, `dispatcher/${world.version} (agent-dispatcher)`);
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
