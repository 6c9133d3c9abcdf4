import type { GiteaSlice } from '../pass/pass-deps.ts';
import type { Config } from '../core/config/config.ts';
import type { Server } from '../core/config/servers.ts';
import { deadline, type Slice } from '../io/deadline.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import type { Progress } from '../io/gitea/scope.ts';
import type { Token } from '../io/token.ts';
import { routed } from './servers.ts';
import { type GlobalOptions, lazily, now, sleep, warner, type World } from './world.ts';

/** All Gitea requests of a pass end within this time, so that the pass ends within 45 s with the wait for its slot. */
export const NETWORK_BUDGET_MS = 38_000;

/**
 * A client of a server. Its code is loaded only now: every millisecond of start-up is paid once a minute. `endsAt`: when all its
 * requests must be over.
 */
export async function giteaClient(
  world: World,
  { url, caFile }: Pick<Server, 'url' | 'caFile'>,
  options: GlobalOptions,
  token: Omit<Token, 'value'> & { readonly value: string | null },
  endsAt = now() + NETWORK_BUDGET_MS,
): Promise<GiteaClient> {
  if (token.warning) warner(world)(token.warning);
  const [{ createClient }, { createAgent }] = await Promise.all([
    import('../io/gitea/client.ts'),
    import('../io/agents.ts'),
  ]);
  const trace = (line: string): void => world.stderr.write(`dispatcher: ${line}\n`);
  return createClient({
    url,
    token: token.value,
    tokenSource: token.source,
    version: world.version,
    agent: await createAgent(url, { environment: world.environment, caFile }),
    signal: deadline(Math.max(0, endsAt - now()), world.interrupted, world.over).signal,
    timeLeft: () => endsAt - now(),
    sleep: async (ms) => sleep(ms, world.interrupted),
    random: Math.random,
    ...(options.verbose ? { trace } : {}),
  });
}

/** How a server is asked. */
export interface Connection {
  readonly client: () => Promise<GiteaClient>;
  /** Throws exit 4 when there is none. */
  readonly token: () => Token;
}

/** The servers of a configuration in slices of the time: what is asked of a slice has ended when that is over. */
export function giteaSlices(
  world: World,
  config: Config,
  connectionTo: (server: Server) => Connection,
): (ms: number) => GiteaSlice {
  return (ms) => {
    const endsAt = now() + ms;
    // Most slices are never asked for anything.
    const slice = lazily((): Slice => {
      return { signal: deadline(endsAt - now(), world.interrupted, world.over).signal, timeLeft: () => endsAt - now() };
    });
    return routed(config.servers, (server) => serverSlice(world, config, { server, slice, ...connectionTo(server) }));
  };
}

interface Link extends Connection {
  readonly server: Server;
  readonly slice: () => Slice;
}

// In the names of the server.
function serverSlice(
  { environment }: World,
  config: Config,
  { server, slice, client: connected, token }: Link,
): GiteaSlice {
  const { url } = server;
  const client: GiteaClient = async (path, write) => (await connected())(path, write, slice());
  return {
    readIssue: async (at) => {
      const { readFullIssue } = await import('../io/gitea/full-issue.ts');
      return readFullIssue(client, at, url);
    },
    peekIssue: async (at) => {
      const { peekIssue } = await import('../io/gitea/full-issue.ts');
      return peekIssue(client, at, url);
    },
    readAssigner: async (at, login) => {
      const { readAssigner } = await import('../io/gitea/full-issue.ts');
      return readAssigner(client, at, login);
    },
    readRepository: async (at) => {
      const { readRepository } = await import('../io/gitea/context.ts');
      return readRepository(client, at, config);
    },
    readContext: async (issue, occasion) => {
      const { readContext } = await import('../io/gitea/context.ts');
      return readContext(client, issue, occasion, { context: config.context, ...server });
    },
    readPullsOf: async (at, agent) => {
      const { readPullsOf } = await import('../io/gitea/pull-request.ts');
      return readPullsOf(client, at, agent, url);
    },
    readPull: async (at, known) => {
      const { readPull } = await import('../io/gitea/pull-request.ts');
      return readPull(client, at, known, url);
    },
    leaveReceipt: async (receipt) => {
      const { leaveReceipt } = await import('../io/gitea/receipt.ts');
      return leaveReceipt(client, config.receipt, receipt, { secret: token().value, serverUrl: url });
    },
    saveAttachments: async (issue, file) => {
      if (config.attachments === null) return new Map();
      const [{ saveAttachments }, { createAgent }] = await Promise.all([
        import('../io/gitea/attachments.ts'),
        import('../io/agents.ts'),
      ]);
      const { tasksDirectory, attachments } = config;
      const agent = await createAgent(url, { environment, caFile: server.caFile });
      try {
        const rules = { serverUrl: url, token: token().value, agent, tasksDirectory, ...attachments };
        return await saveAttachments(issue, file, rules, slice());
      } finally {
        agent.destroy();
      }
    },
  };
}

const WIPE = '\r\u001B[K';

/** Shows on a terminal how far a long listing has come, in a line that goes away; nothing in a pipe. */
export async function withProgress<T>({ stderr }: World, list: (progress?: Progress) => Promise<T>): Promise<T> {
  if (!stderr.isTTY) return list();
  let isShown = false;
  try {
    return await list((name, count, total) => {
      isShown = true;
      stderr.write(`${WIPE}Listing ${name}: ${count}${total === null ? '' : ` of ${total}`} issues`);
    });
  } finally {
    if (isShown) stderr.write(WIPE);
  }
}
