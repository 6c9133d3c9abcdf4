// Before a system service is installed: whether its account can live where the configuration is, and what it takes.

import {
  type FolderRights,
  type Lodging,
  mendPlan,
  movedBy,
  sharedFolders,
  stepText,
  type Step,
} from '../core/config/mend.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell-word.ts';
import type { Account } from '../io/places.ts';
import { configFile, credentialsFor, runAsOf, type SystemdDeps, type SystemdOptions } from './systemd-units.ts';

const PLACES = ['/srv', '/var/lib'];

/**
 * Makes the office one in which the service's account can work: shows the steps, and takes them when it may. Answers the
 * deps with the configuration as it is afterwards. Throws when it may not, before anything is done.
 */
export async function settle(deps: SystemdDeps, options: SystemdOptions): Promise<SystemdDeps> {
  const runAs = runAsOf(deps, options);
  const account = deps.account(runAs);
  refuseShutProgram(deps, account, runAs);
  refuseMissingToken(deps, options, runAs);
  const lodging = lodgingOf(deps, runAs, account);
  const steps = mendPlan(lodging);
  if (steps.length === 0) return deps;
  deps.print(`The service is to run as ${runAs}. For that, this has to be done first:\n`);
  for (const step of steps) deps.print(`  ${stepText(step)}\n`);
  if (!options.yes && !(await deps.confirm?.('Do that now?'))) {
    throw new UserError('nothing was done', {
      exitCode: EXIT.failure,
      code: 'not_settled',
      hint: `dispatcher systemd install${options.now ? ' --now' : ''}${options.name === undefined ? '' : ` --name ${options.name}`} --yes   (takes these steps as root, then goes on)`,
    });
  }
  for (const step of steps) await take(deps, step);
  const moved = movedBy(lodging.workspace, lodging.moveTo);
  if (lodging.moveTo !== null) deps.print(`The office has moved. From now on: cd ${lodging.moveTo}\n`);
  return { ...deps, config: deps.reload(moved(lodging.config)) };
}

async function take(deps: SystemdDeps, step: Step): Promise<void> {
  deps.print(`+ ${stepText(step)}\n`);
  if (step.kind === 'folder') {
    const { path, owner, group, mode } = step.folder;
    return deps.putFolder(path, deps.account(owner)?.uid ?? 0, deps.groupOf(group) ?? 0, mode);
  }
  const code = await deps.run(step.command);
  if (code === 0) return;
  throw new UserError(`${stepText(step)} ended with ${code}`, {
    exitCode: EXIT.failure,
    code: 'step_failed',
    hint: 'see what it said above; then repeat: dispatcher systemd install --now --yes',
  });
}

function lodgingOf(deps: SystemdDeps, runAs: string, account: Account | null): Lodging {
  const { config } = deps;
  const file = configFile(deps);
  const { workspace, tasksDirectory, stateDirectory, logFile } = config;
  const isOfRoot = (path: string): boolean => account?.uid !== 0 && deps.rightsOf(path)?.uid === 0;
  const trees = [tasksDirectory, stateDirectory].filter(
    (path) => isOfRoot(path) || (account?.uid !== 0 && deps.holdsRoots(path)),
  );
  const users = [...(config.agents?.keys() ?? [])].flatMap((agent) => {
    const user = agent === runAs ? null : deps.account(agent);
    return user && user.uid !== 0 ? [user] : [];
  });
  const group = account?.gids[0];
  const moveTo = placeFor(deps, file, account, runAs);
  const mode = deps.rightsOf(file)?.mode ?? 0;
  const isReadable = deps.mayRead(file, account) || isOfRoot(file);
  return {
    account: runAs,
    accountExists: account !== null,
    workspace,
    config: file,
    moveTo,
    ofRoot: [
      ...[workspace, file, logFile].filter(isOfRoot).map((path) => ({ path, isTree: false })),
      ...trees.map((path) => ({ path, isTree: true })),
    ],
    isConfigShut: users.length > 0 && isReadable && (mode & 0o040) === 0,
    folders: foldersOf(deps, runAs, account, users),
    outsiders: users.filter(({ gids }) => group === undefined || !gids.includes(group)).map(({ name }) => name),
  };
}

// Those that are not as they should be.
function foldersOf(
  deps: SystemdDeps,
  runAs: string,
  account: Account | null,
  users: readonly Account[],
): readonly FolderRights[] {
  const names = users.map(({ name }) => name);
  return sharedFolders(deps.config, runAs, names).filter(({ path, group, mode }) => {
    const found = deps.rightsOf(path);
    return found?.uid !== account?.uid || found?.gid !== deps.groupOf(group) || found?.mode !== mode;
  });
}

// Null: it stays.
function placeFor(deps: SystemdDeps, file: string, account: Account | null, runAs: string): string | null {
  const { workspace } = deps.config;
  const closed = deps.closedFolder(`${workspace}/.`, account) ?? deps.closedFolder(file, account);
  // The workspace itself becomes the account's own.
  if (closed === null || (closed === workspace && deps.rightsOf(workspace)?.uid === 0)) return null;
  const name = workspace.replace(/^.*\//u, '');
  const isHome = workspace === deps.homeDirectory || workspace.lastIndexOf('/') === 0;
  const free = PLACES.filter((place) => deps.exists(place))
    .map((place) => `${place}/${name}`)
    .find((path) => !deps.exists(path));
  if (!isHome && free !== undefined && file.startsWith(`${workspace}/`)) return free;
  throw new UserError(`${runAs} cannot get into ${closed}, where ${isHome ? 'the workspace is' : 'this office lies'}`, {
    exitCode: EXIT.refused,
    code: 'closed_place',
    hint: `move the configuration and its workspace to a place for services, such as /srv/agents: mkdir /srv/agents && mv ${shellWord(file)} /srv/agents/dispatcher.yaml, set workspace: /srv/agents in it, and repeat this there`,
  });
}

function refuseShutProgram(deps: SystemdDeps, account: Account | null, runAs: string): void {
  for (const path of [deps.node, deps.script]) {
    if (deps.mayRead(path, account)) continue;
    throw new UserError(`${runAs} cannot read ${path}, which the service has to start`, {
      exitCode: EXIT.refused,
      code: 'shut_program',
      hint: 'install Node and dispatcher for the whole machine (below /usr), not below a home folder; then repeat this',
    });
  }
}

// systemd does not start a service whose credential is not there.
function refuseMissingToken(deps: SystemdDeps, options: SystemdOptions, runAs: string): void {
  const missing = credentialsFor(deps, options, runAs).find(({ file }) => !deps.exists(file));
  if (missing === undefined) return;
  throw new UserError(`the service reads the token from ${missing.file}, which is not there`, {
    exitCode: EXIT.token,
    code: 'token_missing',
    hint: `sudo install -D -m 0600 /dev/stdin ${shellWord(missing.file)}   (paste the token, Enter, Ctrl-D)`,
  });
}
