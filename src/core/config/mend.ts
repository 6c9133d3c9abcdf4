// What stands between a service and its work, and the steps that remove it: an account, a place that the account can
// reach, and files that are its own. A pure plan: `systemd install` shows it, and does it when it is told to.

import { ARCHIVE, STAGE_FOLDERS } from '../mailbox/place.ts';
import { shellWord } from '../shell-word.ts';

/** Who may do what in a folder that has to be there. */
export interface FolderRights {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
}

/** A step of a mend: a command as it would be typed, or a folder to make or put right. */
export type Step =
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | { readonly kind: 'folder'; readonly folder: FolderRights };

const AGENT_PLACES = [...STAGE_FOLDERS, ARCHIVE];
const AGENT_FOLDER = 0o2775;
const OWN_FOLDER = 0o750;

/**
 * The folders of an office whose agents have Unix users of their own. The dispatcher's account owns all of them; an agent
 * may write in its own folder, and nowhere else; who is in the account's group may read.
 */
export function sharedFolders(
  { tasksDirectory, stateDirectory }: { readonly tasksDirectory: string; readonly stateDirectory: string },
  owner: string,
  agents: readonly string[],
): readonly FolderRights[] {
  if (agents.length === 0) return [];
  const own = [tasksDirectory, stateDirectory].map((path) => ({ path, owner, group: owner, mode: OWN_FOLDER }));
  return [...own, ...agents.flatMap((agent) => agentFolders(tasksDirectory, owner, agent))];
}

/** An agent's folder, with the places in it that the agent moves its files to. */
export function agentFolders(tasksDirectory: string, owner: string, agent: string): readonly FolderRights[] {
  return ['', ...AGENT_PLACES.map((place) => `/${place}`)].map((place) => ({
    path: `${tasksDirectory}/${agent}${place}`,
    owner,
    group: agent,
    mode: AGENT_FOLDER,
  }));
}

export interface Lodging {
  readonly account: string;
  readonly accountExists: boolean;
  readonly workspace: string;
  readonly config: string;
  /** Where the workspace moves when its account cannot get to it; null when it can, and it stays. */
  readonly moveTo: string | null;
  /** What belongs to root and has to belong to the account: folders with all that is in them that is root's. */
  readonly ofRoot: readonly { readonly path: string; readonly isTree: boolean }[];
  /** Whether the configuration is shut to the account's group, which agents and readers are in. */
  readonly isConfigShut: boolean;
  readonly folders: readonly FolderRights[];
  /** Users of agents that are not in the account's group yet, and so cannot get to their folder. */
  readonly outsiders: readonly string[];
}

/** The steps in their order; none when all is well. */
export function mendPlan(lodging: Lodging): readonly Step[] {
  const { account, accountExists, workspace, config, moveTo, outsiders } = lodging;
  const now = movedBy(workspace, moveTo);
  const make = ['useradd', '--system', '--user-group', '--shell', '/usr/sbin/nologin', '--home-dir', now(workspace)];
  const ownFiles = lodging.ofRoot.map(({ path, isTree }) =>
    isTree ? ['chown', '-R', '--from=root', `${account}:`, now(path)] : ['chown', '-h', `${account}:`, now(path)],
  );
  const commands = [
    ...(accountExists ? [] : [[...make, account]]),
    ...(moveTo === null ? [] : [['mv', '-T', workspace, moveTo], renamed(workspace, moveTo, now(config))]),
    ...ownFiles,
    ...(lodging.isConfigShut ? [['chmod', '0640', now(config)]] : []),
    ...outsiders.map((name) => ['usermod', '-aG', account, name]),
  ];
  return [
    ...commands.map((command): Step => ({ kind: 'command', command })),
    ...lodging.folders.map((folder): Step => ({ kind: 'folder', folder: { ...folder, path: now(folder.path) } })),
  ];
}

/** Where a path is after the workspace moved. */
export function movedBy(workspace: string, moveTo: string | null): (path: string) => string {
  return (path) =>
    moveTo !== null && (path === workspace || path.startsWith(`${workspace}/`))
      ? moveTo + path.slice(workspace.length)
      : path;
}

/** A step in a line, as it would be typed. */
export function stepText(step: Step): string {
  if (step.kind === 'command') return step.command.map(shellWord).join(' ');
  const { path, owner, group, mode } = step.folder;
  return ['install', '-d', '-m', mode.toString(8), '-o', owner, '-g', group, path].map(shellWord).join(' ');
}

// The configuration names the old place, in `workspace:` and perhaps elsewhere.
function renamed(from: string, to: string, config: string): readonly string[] {
  const pattern = from.replaceAll(/[.*[\]^$\\|]/gu, String.raw`\$&`);
  return ['sed', '-i', `s|${pattern}|${to.replaceAll(/[\\&|]/gu, String.raw`\$&`)}|g`, config];
}
