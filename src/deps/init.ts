import { chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { InitDeps } from '../commands/init.ts';
import { messageOf, EXIT, UserError } from '../core/errors.ts';
import { parseConfig } from '../io/config-file.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import { readToken } from '../io/token.ts';
import { terminalPrompter } from '../io/prompts.ts';
import { giteaClient } from './gitea.ts';
import { listAll } from './listing.ts';
import { commandLine, type GlobalOptions, type World } from './world.ts';
import { createFolders } from '../io/files.ts';
import { configHome } from '../io/home.ts';

/** The real dependencies of `init`. */
export function initDeps(world: World, options: GlobalOptions): InitDeps {
  const { environment, cwd } = world;
  // Where the next command will look for it: a file elsewhere would be written, and never read.
  const configFile = resolve(cwd, options.config ?? (environment['DISPATCHER_CONFIG'] || 'dispatcher.yaml'));
  const isRoot = process.getuid?.() === 0;
  const clientFor = async (url: string, token: string | null): Promise<GiteaClient> =>
    giteaClient(world, { url, caFile: null }, options, {
      value: token,
      source: 'your answer',
      warning: null,
    });
  return {
    configFile,
    commandLine: commandLine(options),
    cwd,
    prompter: process.stdin.isTTY && world.stdout.isTTY ? terminalPrompter() : null,
    environmentToken: environment['GITEA_TOKEN']?.trim(),
    tokenFileFor: (url) => tokenFileFor(url, environment, isRoot),
    absolute: (path) => resolve(cwd, path),
    exists: existsSync,
    readToken: (file) => readToken({ name: null, tokenFile: file }, {}).value,
    findServer: async (address) => {
      const { findServer } = await import('../io/gitea/probe.ts');
      return findServer(async (url) => clientFor(url, null), address);
    },
    visibleIssues: async (url, token) => {
      const { visibleIssues } = await import('../io/gitea/probe.ts');
      return visibleIssues(await clientFor(url, token));
    },
    list: async (url, token, repositories) => {
      const [{ unreadableText }, { unreadableRepositories }, { parsePattern }] = await Promise.all([
        import('../io/gitea/listing.ts'),
        import('../io/gitea/probe.ts'),
        import('../core/config/patterns.ts'),
      ]);
      const client = await clientFor(url, token);
      const patterns = repositories.map(parsePattern);
      const { issues, warnings } = await listAll(client, { url, repositories: patterns });
      const unreadable = await unreadableRepositories(client, patterns);
      return { issues, warnings: [...warnings, ...unreadable.map((name) => unreadableText(name))] };
    },
    createFolder: (path) => orRefused(path, () => createFolders(path)),
    createPrivate: (path, text, workspace) =>
      orRefused(path, () => {
        // What root sets up, the service's account must get to.
        createFolders(dirname(path), isRoot ? 0o755 : 0o700);
        writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
        // Set up by root for somebody else: who owns the workspace runs the passes, and must be able to read it.
        const { uid, gid } = statSync(workspace);
        if (isRoot) chownSync(path, uid, gid);
      }),
    validate: (text) => void parseConfig(text, configFile),
    print: world.stdout.write,
  };
}

function orRefused(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new UserError(`${path} cannot be made: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'unwritable',
      hint: 'choose another place, or let this user write there',
      cause: error,
    });
  }
}

function tokenFileFor(url: string, environment: NodeJS.ProcessEnv, isRoot: boolean): string {
  const place = isRoot && !environment['XDG_CONFIG_HOME'] ? '/etc' : configHome(environment);
  if (place === null) {
    throw new UserError('there is no place for the token: this user has no home folder', {
      exitCode: EXIT.usage,
      code: 'no_home',
      hint: 'name a file for it: --token-file FILE; or set HOME',
    });
  }
  const name = new URL(url).host.replaceAll(':', '-').replaceAll(/[^A-Za-z0-9.-]/gu, '');
  return join(place, 'dispatcher', `${name}.token`);
}
