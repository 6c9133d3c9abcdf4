import { NO_CONTEXT, UNKNOWN_REPOSITORY } from '../../src/core/issue/context.ts';
import { visibleMarkdown } from '../../src/core/task/visible/markdown.ts';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DispatchDeps, GiteaSlice } from '../../src/pass/pass-deps.ts';
import type { Uptime } from '../../src/core/clock.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import type { LogEvent } from '../../src/core/health/log-event.ts';
import { passHistory } from '../../src/deps/history.ts';
import { openJournal } from '../../src/io/state/journal.ts';
import { takeLock } from '../../src/io/state/lock.ts';
import { readPauses } from '../../src/io/state/pauses.ts';
import { openState } from '../../src/io/state/store.ts';
import { fileStore } from '../../src/io/store/files.ts';
import { openTrying } from '../../src/io/state/trying.ts';
import { openTaskFolder, type TaskFolder } from '../../src/io/tasks/folder.ts';
import { aConfig } from './builders.ts';

export interface Simulation {
  readonly deps: DispatchDeps;
  readonly config: Config;
  /** Epoch milliseconds; tests move it, and sleeping moves it. */
  readonly clock: { now: number; uptime: Uptime | null };
  readonly events: LogEvent[];
  /** When each task file appeared, by the simulated clock. */
  readonly appearances: number[];
}

/** A pass in this process: real files in a new folder, a clock that tests move, and issues given as values. */
export function simulation(
  issues: () => readonly FullIssue[],
  start: number,
  overrides: Partial<Config> = {},
): Simulation {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-sim-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = aConfig({
    workspace: folder,
    tasksDirectory: join(folder, '.agent-tasks'),
    stateDirectory: join(folder, '.agent-dispatcher'),
    ...overrides,
  });
  const clock: Simulation['clock'] = { now: start, uptime: null };
  const events: LogEvent[] = [];
  const appearances: number[] = [];
  let tasks = openTaskFolder(config, () => 'random');
  // Each pass looks at the folder anew.
  const ofThisPass = Object.fromEntries(
    Object.keys(tasks).map((name) => [
      name,
      (...all: unknown[]) => Reflect.apply(Reflect.get(tasks, name), tasks, all),
    ]),
  ) as unknown as TaskFolder;
  const journal = openJournal(config);
  const history = passHistory(config, {
    stageOf: (task) => tasks.stageOf(task),
    now: () => clock.now,
    warn: (message) => void events.push({ name: 'WARNING', message }),
  });
  const deps: DispatchDeps = {
    config,
    version: '0.0.0',
    trigger: 'timer',
    isTyped: false,
    isQuiet: false,
    markdown: async () => visibleMarkdown,
    now: () => clock.now,
    uptime: () => clock.uptime,
    timeLeft: () => 38_000,
    sleep: async (ms) => void (clock.now += Math.max(0, ms)),
    randomWord: () => 'k7QdXXXXXXXX',
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    listIssues: async () => {
      const all = issues();
      return {
        issues: all,
        find: (ids) => all.filter(({ id }) => ids.has(id)),
        warnings: [],
        isUnread: () => false,
        stamp: JSON.stringify(all),
      };
    },
    gitea: () => ({
      readIssue: async ({ number }) => issues().find((issue) => issue.number === number) ?? null,
      peekIssue: async ({ number }) => issues().find((issue) => issue.number === number) ?? null,
      readAssigner: async () => null,
      readRepository: async () => UNKNOWN_REPOSITORY,
      readContext: async () => NO_CONTEXT,
      readPullsOf: async () => [],
      readPull: async () => null,
      leaveReceipt: async () => ({ comment: null, missing: null }),
      saveAttachments: async () => new Map(),
    }),
    onDispatch: async () => {},
    template: async () => (data) => `${data.issue.ref}\n`,
    tasks: {
      ...ofThisPass,
      leaveSettings: () => {},
      reopen: () => false,
      updateTemplate: async () => (data) => `${data.update.changed}\n`,
      newestTime: () => null,
      published: (file) => {
        const published = tasks.published(file);
        return published && { ...published, appearedAt: clock.now };
      },
      draft: (candidate, text) => {
        const draft = tasks.draft(candidate, text);
        return {
          ...draft,
          publish: (replace) => {
            appearances.push(clock.now);
            return draft.publish(replace);
          },
        };
      },
    },
    state: {
      ...openState(config),
      lock: async (seconds) => takeLock(config.stateDirectory, seconds),
      read: () => {
        tasks = openTaskFolder(config, () => 'random'); // another pass begins
        return openState(config).read();
      },
      pauses: () => readPauses(config.stateDirectory),
    },
    store: fileStore(config.stateDirectory),
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
    shareHistory: async () => {},
    log: (event) => void events.push(event),
    monitors: { ping: null, writeMetrics: null, warn: () => {} },
    isWatched: false,
    say: () => {},
    commandLine: (command) => `dispatcher ${command}`,
    print: () => {},
    isInterrupted: () => false,
  };
  return { deps, config, clock, events, appearances };
}

/** The same with a Gitea that answers otherwise. */
export function withGitea(deps: DispatchDeps, answers: Partial<GiteaSlice>): DispatchDeps {
  return { ...deps, gitea: (ms) => ({ ...deps.gitea(ms), ...answers }) };
}
