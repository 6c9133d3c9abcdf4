import { createAgent } from '../../src/io/agents.ts';
import { createClient, type GiteaClient } from '../../src/io/gitea/client.ts';
import type { FakeGitea } from './gitea/server.ts';

/** The product's own client of a fake server, which waits for nothing between its tries. `timeLeft`: milliseconds for them. */
export async function clientOf(
  { url, token }: Pick<FakeGitea, 'url' | 'token'>,
  timeLeft = 30_000,
): Promise<GiteaClient> {
  return createClient({
    url,
    token,
    tokenSource: 'a test',
    version: '0.0.0',
    signal: new AbortController().signal,
    agent: await createAgent(url, { environment: {}, caFile: null }),
    timeLeft: () => timeLeft,
    sleep: async () => {},
    random: () => 0,
  });
}
