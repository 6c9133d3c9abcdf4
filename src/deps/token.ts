import { text as readAll } from 'node:stream/consumers';
import type { TokenDeps } from '../commands/token.ts';
import { loadConfig } from '../io/config-file.ts';
import { terminalPrompter } from '../io/prompts.ts';
import { readTimerUnits, tokenCredential } from '../io/systemd.ts';
import { storeToken } from '../io/token.ts';
import { listAll } from './listing.ts';
import { giteaClient } from './gitea.ts';
import { issueRepositories } from './doctor.ts';
import type { GlobalOptions, World } from './world.ts';

/** The real dependencies of `token`. */
export function tokenDeps(world: World, options: GlobalOptions): TokenDeps {
  const config = loadConfig(options.config, world);
  const [server] = config.servers;
  return {
    config,
    server,
    credential: async () => {
      const units = (await readTimerUnits(world.environment, config.file)) ?? [];
      return units.map(({ service }) => tokenCredential(service, server.name)).find((file) => file !== null) ?? null;
    },
    ask: async (question) => (process.stdin.isTTY ? terminalPrompter().secret(question) : readAll(process.stdin)),
    tryToken: async (value) => {
      const [client, { unreadableRepositories }, { mayWriteIssues, readLogin }] = await Promise.all([
        giteaClient(world, server, options, { value, source: 'your answer', warning: null }),
        import('../io/gitea/probe.ts'),
        import('../io/gitea/rights.ts'),
      ]);
      const { issues, warnings } = await listAll(client, server);
      const unreadable = await unreadableRepositories(client, server.repositories);
      const { reaction, label, comment } = config.receipt;
      const [repository] = issueRepositories(server, issues);
      const needsWrite = (reaction !== null || label !== null || comment) && repository !== undefined;
      return {
        issues: issues.length,
        warnings: [...warnings, ...unreadable.map((name) => `${name} cannot be read with this token`)],
        login: await readLogin(client),
        mayWrite: needsWrite ? await mayWriteIssues(client, repository) : null,
      };
    },
    store: storeToken,
    print: world.stdout.write,
  };
}
