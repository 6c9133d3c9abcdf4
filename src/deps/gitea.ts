import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Config } from '../core/config/config.ts';
import { deadline } from '../io/deadline.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import type { Progress } from '../io/gitea/listing.ts';
import { readToken, type Token } from '../io/token.ts';
import { type GlobalOptions, now, sleep, warner, type World } from './world.ts';

/** All Gitea requests of a pass end within this time, so that the pass ends within 45 s with the wait for its slot. */
const NETWORK_BUDGET_MS = 38_000;

/**
 * A client with the token of a configuration. Throws exit 4 when there is none. Its code is loaded only now: every
 * millisecond of start-up is paid once a minute.
 */
export async function giteaClient(
  world: World,
  config: Pick<Config, 'url' | 'tokenFile' | 'file'>,
  options: GlobalOptions,
  token: Omit<Token, 'value'> & { readonly value: string | null } = readToken(config, world.environment),
): Promise<GiteaClient> {
  if (token.warning) warner(world)(token.warning);
  const { createClient } = await import('../io/gitea/client.ts');
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

/** Reads one issue with everything an agent needs. */
export function issueReader(config: Config, gitea: () => Promise<GiteaClient>): DispatchDeps['readIssue'] {
  return async (at) => {
    const { readFullIssue } = await import('../io/gitea/full-issue.ts');
    return readFullIssue(await gitea(), at, config.url);
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
