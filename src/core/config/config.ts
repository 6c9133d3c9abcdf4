import { durationOf } from '../clock.ts';
import type { RawConfig } from './schema.ts';
import type { ContextConfig } from '../issue/context.ts';
import { type OwnRateLimits, ownRateLimits } from './own-rate-limits.ts';
import { parsePattern, type RepositoryPattern, taskFilePattern } from './patterns.ts';
import type { Server, Servers } from './servers.ts';
import { normaliseStore, type StoreConfig } from '../store/store-config.ts';
import { type Instructions, normaliseInstructions, plainLabel } from './instructions.ts';
import { type Priority, priorityNamed } from '../issue/priority.ts';
import { USUAL_ATTEMPTS } from '../mailbox/settings.ts';

interface AgentConfig {
  readonly maxTasks: number | null;
  readonly template: string | null;
  /** So many failed runs of `work`, and a task is blocked. */
  readonly attempts: number;
}

/** An agent of which nothing but its name is configured. */
export const PLAIN_AGENT: AgentConfig = { maxTasks: null, template: null, attempts: USUAL_ATTEMPTS };

/** The configuration with every default filled in and every path absolute. */
export interface Config {
  /** The file it came from, or null when it came from the environment. */
  readonly file: string | null;
  readonly servers: Servers;
  /** Of all servers. */
  readonly repositories: readonly RepositoryPattern[];
  readonly workspace: string;
  /** By lower-cased login. Null: every assignee is an agent. */
  readonly agents: ReadonlyMap<string, AgentConfig> | null;
  /** The labels that an agent takes issues with, lower-cased, by its login; all when it is not here. */
  readonly agentLabels: ReadonlyMap<string, readonly string[]>;
  readonly instructions: Instructions;
  readonly tasksDirectory: string;
  readonly taskFile: string;
  /** After so long a task that is taken is stalled. */
  readonly stalledAfterMs: number;
  readonly template: string | null;
  readonly rateLimitMs: number;
  readonly rateLimits: OwnRateLimits;
  /** By lower-cased label name. */
  readonly priorityLabels: ReadonlyMap<string, Priority>;
  /** Lower-cased. */
  readonly holdLabels: readonly string[];
  readonly logFile: string;
  readonly logFormat: 'text' | 'json';
  readonly stateDirectory: string;
  /** Null: this machine works alone, with files. */
  readonly store: StoreConfig | null;
  /** How long the history is kept. */
  readonly historyKeepMs: number;
  readonly dashboard: DashboardConfig;
  readonly monitor: {
    readonly pingUrl: string | null;
    readonly metricsFile: string | null;
    /** Label of all metrics: tells several dispatchers apart. */
    readonly office: string;
  };
  readonly updates: {
    readonly enabled: boolean;
    readonly ignoreAuthors: readonly string[];
    /** Whether a task that is blocked or done is offered again when people write. */
    readonly reopen: boolean;
    /** Whether what is said of a pull request that closes or names the issue is news as well. */
    readonly pullRequests: boolean;
  };
  /** Lower-cased logins. Null: everybody is trusted. */
  readonly trust: {
    readonly authors: readonly string[] | null;
    readonly commenters: readonly string[] | null;
    readonly assigners: readonly string[] | null;
  };
  readonly context: ContextConfig;
  readonly receipt: ReceiptConfig;
  /** Null: none is saved. */
  readonly attachments: { readonly maxBytes: number; readonly types: readonly string[] } | null;
  readonly onDispatch: { readonly command: readonly string[]; readonly timeoutMs: number } | null;
}

/** What is left on a dispatched issue. All null and false: nothing. */
export interface ReceiptConfig {
  readonly reaction: string | null;
  readonly label: string | null;
  readonly comment: boolean;
}

export interface DashboardConfig {
  readonly host: string;
  readonly port: number;
  /** Null: nobody is asked who they are, which only a loopback address may do. */
  readonly auth: { readonly user: string; readonly passwordFile: string } | null;
  /** Lower-cased. */
  readonly allowedHosts: readonly string[];
}

interface Placement {
  readonly file: string | null;
  /** Folder that paths read by the dispatcher are relative to, and the default workspace. */
  readonly folder: string;
  readonly resolve: (folder: string, path: string) => string;
}

/** Fills in the defaults. What is read lies relative to the configuration file, what is written relative to the workspace. */
export function normaliseConfig(raw: RawConfig, { file, folder, resolve }: Placement): Config {
  const workspace = resolve(folder, raw.workspace ?? '.');
  const read = (path: string | undefined): string | null => (path === undefined ? null : resolve(folder, path));
  const servers = serversOf(raw.gitea, read);
  const repositories = servers.flatMap(({ name, repositories: own }) => own.map((each) => onServer(name, each)));
  return {
    file,
    servers,
    repositories,
    workspace,
    agents: raw.agents
      ? new Map(
          Object.entries(raw.agents).map(([login, agent]) => [
            login.toLowerCase(),
            {
              maxTasks: agent?.maxTasks ?? null,
              template: read(agent?.template),
              attempts: agent?.attempts ?? PLAIN_AGENT.attempts,
            },
          ]),
        )
      : null,
    tasksDirectory: resolve(workspace, raw.tasks?.directory ?? '.agent-tasks'),
    taskFile: taskFilePattern(raw.tasks?.file ?? 'issue-{number}.md', repositories),
    stalledAfterMs: durationOf(raw.tasks?.stalledAfter ?? '24h'),
    template: read(raw.tasks?.template),
    rateLimitMs: durationOf(raw.rateLimit ?? '60s'),
    priorityLabels: new Map(
      Object.entries(raw.priority?.labels ?? {}).map(([label, word]) => [
        label.trim().toLowerCase(),
        priorityNamed(word) ?? 'NORMAL',
      ]),
    ),
    holdLabels: (raw.holdLabels ?? []).map(plainLabel),
    logFile: resolve(workspace, raw.log?.file ?? '.agent-dispatcher.log'),
    logFormat: raw.log?.format ?? 'text',
    stateDirectory: resolve(workspace, raw.state ?? '.agent-dispatcher'),
    historyKeepMs: durationOf(raw.history?.keep ?? '90d'),
    dashboard: {
      host: raw.dashboard?.host ?? '127.0.0.1',
      port: raw.dashboard?.port ?? 8098,
      auth: raw.dashboard?.auth
        ? {
            user: raw.dashboard.auth.user ?? 'dispatcher',
            passwordFile: resolve(folder, raw.dashboard.auth.passwordFile),
          }
        : null,
      allowedHosts: (raw.dashboard?.allowedHosts ?? []).map((host) => host.toLowerCase()),
    },
    store: raw.store ? normaliseStore(raw.store, read) : null,
    ...forTasks(raw),
    ...afterwards(raw),
    monitor: {
      pingUrl: raw.monitor?.pingUrl ?? null,
      metricsFile: raw.monitor?.metricsFile === undefined ? null : resolve(workspace, raw.monitor.metricsFile),
      office: raw.monitor?.office ?? workspace,
    },
  };
}

// A list of one is that one: nothing has to be told apart.
function serversOf(gitea: RawConfig['gitea'], read: (path: string | undefined) => string | null): Servers {
  const all = Array.isArray(gitea) ? gitea : [gitea];
  const [first, ...others] = all.map((raw): Server => {
    return {
      name: isNamed(raw) && all.length > 1 ? raw.name : null,
      url: raw.url.replace(/\/+$/u, ''),
      formerUrls: raw.formerUrls ?? [],
      repositories: raw.repositories.map(parsePattern),
      tokenFile: read(raw.tokenFile),
      caFile: read(raw.caFile),
    };
  });
  if (first === undefined) throw new Error('a configuration without a server got past its schema');
  return [first, ...others];
}

type RawServer = Extract<RawConfig['gitea'], readonly unknown[]>[number];

function isNamed(raw: Omit<RawServer, 'name'>): raw is RawServer {
  return 'name' in raw;
}

function onServer(server: string | null, pattern: RepositoryPattern): RepositoryPattern {
  return server === null ? pattern : { ...pattern, server };
}

// What a task says, and whose it may be.
function forTasks(raw: RawConfig): Pick<Config, 'agentLabels' | 'instructions' | 'context' | 'rateLimits'> {
  return {
    rateLimits: ownRateLimits(raw),
    agentLabels: new Map(
      Object.entries(raw.agents ?? {}).flatMap(([login, agent]) =>
        agent?.labels ? [[login.toLowerCase(), agent.labels.map(plainLabel)] as const] : [],
      ),
    ),
    instructions: normaliseInstructions(raw.instructions),
    context: {
      timeline: raw.context?.timeline ?? true,
      repository: raw.context?.repository ?? true,
      references: raw.context?.references ?? 5,
      blocks: raw.context?.blocks ?? true,
      lastAttempt: raw.context?.lastAttempt ?? true,
    },
  };
}

const SAVED_TYPES = 'png jpg jpeg gif webp txt log md csv json yaml yml diff patch pdf'.split(' ');

// What happens to a task once it is out.
function afterwards(raw: RawConfig): Pick<Config, 'updates' | 'trust' | 'receipt' | 'attachments' | 'onDispatch'> {
  return {
    updates: {
      enabled: raw.updates?.enabled ?? true,
      ignoreAuthors: lowered(raw.updates?.ignoreAuthors) ?? ['gitea-actions', 'forgejo-actions'],
      reopen: raw.updates?.reopen ?? true,
      pullRequests: raw.updates?.pullRequests ?? true,
    },
    trust: {
      authors: lowered(raw.trust?.authors),
      commenters: lowered(raw.trust?.commenters),
      assigners: lowered(raw.trust?.assigners),
    },
    receipt: {
      reaction: raw.receipt?.reaction ?? null,
      label: raw.receipt?.label ?? null,
      comment: raw.receipt?.comment ?? false,
    },
    attachments: raw.attachments?.save
      ? { maxBytes: raw.attachments.maxBytes ?? 5_000_000, types: lowered(raw.attachments.types) ?? SAVED_TYPES }
      : null,
    onDispatch: raw.onDispatch
      ? { command: raw.onDispatch.command, timeoutMs: durationOf(raw.onDispatch.timeout ?? '10s') }
      : null,
  };
}

function lowered(logins: readonly string[] | undefined): readonly string[] | null {
  return logins?.map((login) => login.toLowerCase()) ?? null;
}
