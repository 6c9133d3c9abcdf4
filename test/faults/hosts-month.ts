// Hosts in this process: real folders, a real database and real HTTP, with clocks that the test moves, those of the hosts and the
// one of the database. So a minute takes as long as its passes do.

import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { peekIssue, readAssigner, readFullIssue } from '../../src/io/gitea/full-issue.ts';
import { listOpenIssues } from '../../src/io/gitea/listing.ts';
import { openScopeCache, unsavedScope } from '../../src/io/state/listing-cache.ts';
import { openStore } from '../../src/io/store/postgres/open.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import { startFakeGitea, type FakeGitea } from '../support/gitea/server.ts';
import { DATABASE } from '../support/hosts.ts';
import type { OwnershipEvent } from '../support/ownership.ts';
import { simulation, type Simulation } from '../support/pass.ts';
import type { Cluster } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type AtCall, interposed } from './interposed.ts';
import { clientOf } from '../support/client.ts';

/** The one clock that counts. */
export interface Time {
  readonly now: () => number;
  /** Whole seconds. */
  readonly set: (at: number) => void;
}

export interface MonthHost {
  readonly name: string;
  readonly agents: readonly string[];
  readonly proxy: TcpProxy;
  readonly at: Simulation;
  /** A pass; `atCall` stands between it and everything else. Never throws. */
  readonly pass: (atCall: AtCall) => Promise<void>;
}

export interface MonthOptions {
  readonly cluster: Cluster;
  readonly gitea: FakeGitea;
  readonly time: Time;
  readonly repositories: readonly string[];
  readonly leaseMs: number;
  /** Gets each file that appears. */
  readonly appeared: (event: OwnershipEvent) => void;
}

/** A host whose clock is wrong by so much. */
export async function monthHost(
  name: string,
  agents: readonly string[],
  wrongBy: number,
  { cluster, gitea, time, repositories, leaseMs, appeared }: MonthOptions,
): Promise<MonthHost> {
  const at = simulation(() => [], time.now() + wrongBy, {
    repositories: repositories.map((each) => ({ owner: 'acme', name: each.split('/')[1] ?? '' })),
    agents: new Map(agents.map((agent) => [agent, { maxTasks: null, template: null, attempts: 3 }])),
    holdLabels: ['on-hold'],
  });
  const { config, clock } = at;
  mkdirSync(config.stateDirectory);
  const proxy = await startTcpProxy(cluster.port);
  onTestFinished(async () => proxy.close());
  const client = await clientOf(gitea);
  const where = { repositories: config.repositories, url: gitea.url };
  const started = time.now();
  const deps = (store: DispatchDeps['store']): DispatchDeps => ({
    ...at.deps,
    store,
    uptime: () => ({ bootId: name, ms: time.now() - started + 1 }),
    sleep: async (ms) => {
      if (ms > 0) time.set(time.now() + Math.ceil(ms / 1000) * 1000);
      clock.now = time.now() + wrongBy;
    },
    listIssues: async (mode) =>
      listOpenIssues(client, where, {
        cacheOf: ({ name: scope }) => (mode === 'all' ? unsavedScope() : openScopeCache(config.stateDirectory, scope)),
      }),
    gitea: (ms) => ({
      ...at.deps.gitea(ms),
      readIssue: async (issue) => readFullIssue(client, issue, config.servers[0].url),
      peekIssue: async (issue) => peekIssue(client, issue, config.servers[0].url),
      readAssigner: async (issue, login) => readAssigner(client, issue, login),
    }),
    state: { ...at.deps.state, lock: async () => ({ release: () => {}, note: null }) },
    tasks: {
      ...at.deps.tasks,
      draft: (candidate, text) => {
        const draft = at.deps.tasks.draft(candidate, text);
        const publish: typeof draft.publish = (replace) => {
          const outcome = draft.publish(replace);
          const task = `${candidate.agent} ${candidate.issue.number}`;
          if (outcome.kind === 'published') appeared({ at: time.now(), event: 'appeared', host: name, task });
          return outcome;
        };
        return { ...draft, publish };
      },
    },
  });
  const pass = async (atCall: AtCall): Promise<void> => {
    clock.now = time.now() + wrongBy;
    try {
      const store = await openStore({
        address: cluster.url(DATABASE, { port: proxy.port }),
        caFile: null,
        schema: 'dispatcher',
        host: name,
        instance: name,
        leaseMs,
        listedForAllMs: 20_000,
        keepMs: 90 * 86_400_000,
        ticks: time.now,
      });
      await dispatch(interposed(deps(store), atCall));
    } catch {
      // What is broken by that shows in the folders and in the database.
    }
  };
  return { name, agents, proxy, at, pass };
}

/** A fake Gitea with that clock. */
export async function monthGitea(time: Time, repositories: readonly string[]): Promise<FakeGitea> {
  const gitea = await startFakeGitea({ now: () => new Date(time.now()) });
  onTestFinished(async () => gitea.close());
  for (const name of repositories) gitea.addRepository(name);
  return gitea;
}

/** Moves a task file of an agent. */
export function moveTask(host: MonthHost, name: string, to: 'doing' | 'done' | 'blocked'): void {
  const folder = host.at.config.tasksDirectory;
  const [agent = '', ...rest] = name.split('/');
  const target = join(folder, agent, to, ...rest.filter((part) => part !== 'doing'));
  mkdirSync(dirname(target), { recursive: true });
  renameSync(join(folder, name), target);
}
