import type { GiteaSlice } from '../pass/pass-deps.ts';
import type { Config } from '../core/config/config.ts';
import type { FullIssue, Issue } from '../core/issue/issue.ts';
import { deadline, type Slice } from '../io/deadline.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import type { Progress } from '../io/gitea/scope.ts';
import { readToken, type Token } from '../io/token.ts';
import { type GlobalOptions, lazily, now, sleep, warner, type World } from './world.ts';

/** All Gitea requests of a pass end within this time, so that the pass ends within 45 s with the wait for its slot. */
export const NETWORK_BUDGET_MS = 38_000;

/**
 * A client with the token of a configuration. Throws exit 4 when there is none. Its code is loaded only now: every
 * millisecond of start-up is paid once a minute. `endsAt`: when all its requests must be over.
 */
export async function giteaClient(
  world: World,
  config: Pick<Config, 'url' | 'tokenFile' | 'caFile' | 'file'>,
  options: GlobalOptions,
  token: Omit<Token, 'value'> & { readonly value: string | null } = readToken(config, world.environment),
  endsAt = now() + NETWORK_BUDGET_MS,
): Promise<GiteaClient> {
  if (token.warning) warner(world)(token.warning);
  const [{ createClient }, { createAgents }] = await Promise.all([
    import('../io/gitea/client.ts'),
    import('../io/agents.ts'),
  ]);
  const trace = (line: string): void => world.stderr.write(`dispatcher: ${line}\n`);
  return createClient({
    url: config.url,
    token: token.value,
    tokenSource: token.source,
    version: world.version,
    agents: await createAgents(config.url, { environment: world.environment, caFile: config.caFile }),
    signal: deadline(Math.max(0, endsAt - now()), world.interrupted, world.over).signal,
    timeLeft: () => endsAt - now(),
    sleep: async (ms) => sleep(ms, world.interrupted),
    random: Math.random,
    ...(options.verbose ? { trace } : {}),
  });
}

/** Reads one issue with everything an agent needs. */
export function issueReader(
  config: Config,
  gitea: () => Promise<GiteaClient>,
): (at: Pick<Issue, 'repository' | 'number'>) => Promise<FullIssue | null> {
  return async (at) => {
    const { readFullIssue } = await import('../io/gitea/full-issue.ts');
    return readFullIssue(await gitea(), at, config.url);
  };
}

/** Gitea in slices of the time: what is asked of a slice has ended when that is over. */
export function giteaSlices(
  { interrupted, over, environment }: World,
  config: Config,
  gitea: () => Promise<GiteaClient>,
  token: () => Token,
): (ms: number) => GiteaSlice {
  return (ms) => {
    const endsAt = now() + ms;
    // Most slices are never asked for anything.
    const slice = lazily((): Slice => {
      return { signal: deadline(endsAt - now(), interrupted, over).signal, timeLeft: () => endsAt - now() };
    });
    const client: GiteaClient = async (path, write) => (await gitea())(path, write, slice());
    return {
      readIssue: issueReader(config, async () => client),
      peekIssue: async (at) => {
        const { peekIssue } = await import('../io/gitea/full-issue.ts');
        return peekIssue(client, at, config.url);
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
        return readContext(client, issue, occasion, config);
      },
      readPullsOf: async (at, agent) => {
        const { readPullsOf } = await import('../io/gitea/pull-request.ts');
        return readPullsOf(client, at, agent, config.url);
      },
      readPull: async (at, known) => {
        const { readPull } = await import('../io/gitea/pull-request.ts');
        return readPull(client, at, known, config.url);
      },
      leaveReceipt: async (receipt) => {
        const { leaveReceipt } = await import('../io/gitea/receipt.ts');
        return leaveReceipt(client, config.receipt, receipt, { secret: token().value, serverUrl: config.url });
      },
      saveAttachments: async (issue, file) => {
        if (config.attachments === null) return new Map();
        const [{ saveAttachments }, { createAgents }] = await Promise.all([
          import('../io/gitea/attachments.ts'),
          import('../io/agents.ts'),
        ]);
        const { url: serverUrl, caFile, tasksDirectory, attachments } = config;
        const agents = await createAgents(serverUrl, { environment, caFile });
        try {
          const rules = { serverUrl, token: token().value, agents, tasksDirectory, ...attachments };
          return await saveAttachments(issue, file, rules, slice());
        } finally {
          for (const agent of Object.values(agents)) agent.destroy();
        }
      },
    };
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
