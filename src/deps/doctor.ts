import { existsSync, realpathSync } from 'node:fs';
import type { DoctorDeps } from '../commands/doctor.ts';
import { takeSnapshot } from '../commands/take-snapshot.ts';
import type { Server } from '../core/config/servers.ts';
import { isRunnable } from '../io/run-command.ts';
import { remedyFor } from '../core/remedy.ts';
import { loadConfig } from '../io/config-file.ts';
import { configFile } from '../io/config-place.ts';
import { homeFolder } from '../io/home.ts';
import { accountOf, closedFolder, dashboardVersion, isPortTaken, lookAt, ownershipOf } from '../io/places.ts';
import { readPauses } from '../io/state/pauses.ts';
import { folderTroubles } from '../io/tasks/inventory.ts';
import { userName } from '../io/user-name.ts';
import { readPassHistory } from '../io/state/store.ts';
import { readTimerUnits, startedPaths, tokenCredential, unitText } from '../io/systemd.ts';
import { readCredential, readToken } from '../io/token.ts';
import { giteaClient } from './gitea.ts';
import { localFiles } from './local-files.ts';
import { listAll } from './listing.ts';
import { commandLine, type GlobalOptions, now, packaged, type World } from './world.ts';

/** The real dependencies of `doctor`. */
export function doctorDeps(world: World, options: GlobalOptions): DoctorDeps {
  return {
    node: `Node ${process.versions.node}`,
    version: world.version,
    hasHome: homeFolder(world.environment) !== null,
    script: realpathSync(process.argv[1] ?? ''),
    now,
    loadConfig: () => loadConfig(options.config, world),
    token: (server, credential) =>
      credential === null ? readToken(server, world.environment) : readCredential(credential, server.name),
    tryTemplate: async (file) => {
      const [{ loadTemplate }, { sampleData }] = await Promise.all([
        import('../io/tasks/template.ts'),
        import('../core/task/sample.ts'),
      ]);
      loadTemplate(file, packaged('templates'))(sampleData());
    },
    gitea: giteaFor(world, options),
    examineStore: async (config) => (await import('./store.ts')).examineStore(world, config),
    userName: userName(),
    account: accountOf,
    ownership: ownershipOf,
    closedFolder,
    folderTroubles: (config) => folderTroubles(config, config.agents ? [...config.agents.keys()] : null),
    readState: readPassHistory,
    picture: (config) => takeSnapshot(localFiles(config, world.version)),
    readPauses: (config) => readPauses(config.stateDirectory),
    lookAt: (path, account) => lookAt(path, account === null ? null : accountOf(account)),
    timers: async ({ file }) => readTimerUnits(world.environment, file),
    asService: process.getuid?.() === 0 && existsSync('/run/systemd/system') ? seenAsService(world) : null,
    cronLines: async () => (await import('../io/cron.ts')).readCronLines(),
    startedPaths,
    tokenCredential,
    exists: existsSync,
    realPath: realpathSync,
    isPortTaken,
    isProgram: (name) => isRunnable(name, world.cwd, world.environment['PATH']),
    proxy: async ({ url }) => (await import('../io/agents.ts')).proxyName(url, world.environment),
    dashboardVersion,
    commandLine: commandLine(options),
    remedy: (fix) => remedyFor(fix, { named: options.config ?? null, forRoot: fileUnlessRoots(world) }),
    print: world.stdout.write,
  };
}

// What sudo starts has root's home folder, and none of this environment.
function fileUnlessRoots({ environment, cwd }: World): string | null {
  const file = configFile(undefined, environment, cwd);
  return file === configFile(undefined, { HOME: '/root' }, cwd) ? null : file;
}

function giteaFor(world: World, options: GlobalOptions): DoctorDeps['gitea'] {
  return async (config, server, token) => {
    const [client, { readVersion, mayReadUser, unreadableRepositories }, { unreadableText }] = await Promise.all([
      giteaClient(world, server, options, token),
      import('../io/gitea/probe.ts'),
      import('../io/gitea/listing.ts'),
    ]);
    return {
      version: async () => readVersion(client),
      list: async () => {
        const [{ issues, warnings }, unreadable] = await Promise.all([
          listAll(client, server),
          unreadableRepositories(client, server.repositories),
        ]);
        return { issues, warnings: [...new Set([...warnings, ...unreadable.map((name) => unreadableText(name))])] };
      },
      mayMore: async () => mayReadUser(client),
      receipts: async (issues) => {
        const { hasLabel, mayWriteIssues } = await import('../io/gitea/rights.ts');
        const { label } = config.receipt;
        const repositories = issueRepositories(server, issues);
        const found = await Promise.all(
          repositories.map(async (name) => label === null || (await hasLabel(client, name, label))),
        );
        const [first] = repositories;
        return {
          mayWrite: first === undefined || (await mayWriteIssues(client, first)),
          unlabelled: repositories.filter((_, index) => found[index] === false),
        };
      },
    };
  };
}

const ASKED_REPOSITORIES = 10;

/** Repositories that receipts are left in: those that are named, and those of open issues; the first of them. */
export function issueRepositories(
  { repositories }: Server,
  issues: readonly { readonly repository: string }[],
): readonly string[] {
  const named = repositories.flatMap(({ owner, name }) => (name === null ? [] : [`${owner}/${name}`]));
  return [...new Set([...named, ...issues.map(({ repository }) => repository)])].slice(0, ASKED_REPOSITORIES);
}

function seenAsService(world: World): DoctorDeps['asService'] {
  return async ({ base, scope }, { file }) => {
    const [text, { examineAs }] = await Promise.all([
      unitText(scope, `${base}.service`, world.environment),
      import('./systemd.ts'),
    ]);
    return examineAs(world, scope, text, [process.execPath, realpathSync(process.argv[1] ?? '')], file ?? '');
  };
}
