import { text as readAll } from 'node:stream/consumers';
import type { TokenDeps } from '../commands/token.ts';
import type { Server, Servers } from '../core/config/servers.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { loadConfig } from '../io/config-file.ts';
import { terminalPrompter } from '../io/prompts.ts';
import { readTimerUnits, tokenCredential } from '../io/systemd.ts';
import { storeToken } from '../io/token.ts';
import { listAll } from './listing.ts';
import { giteaClient } from './gitea.ts';
import { issueRepositories } from './doctor.ts';
import type { GlobalOptions, World } from './world.ts';

/** The real dependencies of `token`. */
export function tokenDeps(world: World, options: GlobalOptions & { readonly server?: string }): TokenDeps {
  const config = loadConfig(options.config, world);
  const server = serverNamed(config.servers, options.server);
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
    // What a unit hands over is root's, and stays it.
    store: (file, value) => storeToken(file, value, server.tokenFile === null ? null : config.workspace),
    print: world.stdout.write,
  };
}

// A token must not go to another server than it was made for: of several nobody guesses.
function serverNamed(servers: Servers, typed: string | undefined): Server {
  const [first] = servers;
  const found = typed === undefined ? undefined : servers.find(({ name }) => name === typed.toLowerCase());
  const server = servers.length === 1 && typed === undefined ? first : found;
  if (server) return server;
  const names = servers.map(({ name }) => name).join(', ');
  throw new UserError(
    typed === undefined
      ? 'there are several servers, and each has a token of its own'
      : `there is no server ${cleanLine(typed, 60)}`,
    {
      exitCode: EXIT.usage,
      code: 'usage',
      hint:
        servers.length === 1
          ? 'there is only one server, which has no name: dispatcher token'
          : `say which one with --server: ${names}`,
    },
  );
}
