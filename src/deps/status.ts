import type { ExplainDeps } from '../commands/explain.ts';
import type { StatusDeps } from '../commands/status.ts';
import { remedyFor } from '../core/remedy.ts';
import { loadKnownConfig } from '../io/config-cache.ts';
import { rememberedIssues } from '../io/state/remembered-issues.ts';
import { terminalWidth } from '../views/terminal.ts';
import { readToken } from '../io/token.ts';
import { giteaClient, giteaSlices, NETWORK_BUDGET_MS } from './gitea.ts';
import { localFiles } from './local-files.ts';
import { ofEach } from './servers.ts';
import { commandLine, type GlobalOptions, lazily, now, sleep, type World } from './world.ts';

/** The real dependencies of `status`: local files only. Throws when the configuration cannot be had. */
export async function statusDeps(world: World, options: GlobalOptions): Promise<StatusDeps> {
  const config = await loadKnownConfig(options.config, world, now);
  return {
    // With --watch it stays: over a time in which its machine slept, and when the clock is set.
    ...localFiles(config, world.version, Date.now),
    commandLine: commandLine(options),
    remedy: (fix) => remedyFor(fix, { named: options.config ?? null, forRoot: null }),
    sleep: async (ms) => sleep(ms, world.interrupted),
    isInterrupted: () => world.interrupted.aborted,
    environment: world.environment,
    stdout: world.stdout,
    stderr: world.stderr,
    readTimer: async () => {
      const { readTimer } = await import('../io/systemd.ts');
      return readTimer(world.environment, config.file);
    },
  };
}

/** The real dependencies of `explain`: local files, and Gitea only for an issue that these do not know. */
export async function explainDeps(world: World, options: GlobalOptions): Promise<ExplainDeps> {
  const status = await statusDeps(world, options);
  const { config } = status;
  const slices = giteaSlices(
    world,
    config,
    ofEach(config.servers, (server) => {
      const token = lazily(() => readToken(server, world.environment));
      return { token, client: lazily(async () => giteaClient(world, server, options, token())) };
    }),
  );
  return {
    ...status,
    width: terminalWidth(world),
    print: world.stdout.write,
    listedIssues: (number) => rememberedIssues(config.stateDirectory, number),
    readIssue: async (at) => slices(NETWORK_BUDGET_MS).readIssue(at),
  };
}
