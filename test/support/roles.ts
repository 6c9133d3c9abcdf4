// An office as deploy/README.md describes it: the dispatcher and each agent a Unix user of its own. Only root can set it up.

import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND, type Finished, finished, NODE, RECORDING, type Workspace, workspace } from './command.ts';
import type { FakeGiteaOptions } from './gitea/server.ts';

export const DISPATCHER = 47_111;
const HANS = 47_112;
const GRETA = 47_113;

/** User and groups of each row of the table in SECURITY.md, "Who may do what". */
const ROLES = {
  dispatcher: [DISPATCHER, DISPATCHER],
  'agent hans': [HANS, HANS, DISPATCHER],
  'group dispatcher (dashboard, status)': [47_114, 47_114, DISPATCHER],
  'anybody else': [47_115, 47_115],
  'root (operator)': [0, 0],
} as const satisfies Readonly<Record<string, readonly [uid: number, ...groups: number[]]>>;

export type Role = keyof typeof ROLES;

/** What setpriv is called with to run a command as a role. */
export function as(role: Role, line: readonly string[]): readonly string[] {
  const [uid, group, ...groups] = ROLES[role];
  const others = groups.length > 0 ? `--groups=${groups.join(',')}` : '--clear-groups';
  return [`--reuid=${uid}`, `--regid=${group}`, others, ...line];
}

export interface RolesOffice extends Workspace {
  readonly tasksFolder: string;
  /** Runs the built command as a role, from nowhere in particular. */
  readonly runAs: (
    role: Role,
    args: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ) => Promise<Finished>;
  /** Runs a line of shell as a role, in the folder of hans. */
  readonly shell: (role: Role, script: string, umask?: string) => Promise<Finished>;
}

/** An office with the agents hans and greta; `more`: further lines of its configuration. */
export async function rolesOffice(options: FakeGiteaOptions & { readonly more?: string } = {}): Promise<RolesOffice> {
  const yaml = `gitea: { url: URL, repositories: [acme/app], tokenFile: token }\nrateLimit: 1s\nagents: { hans: {}, greta: {} }\n${options.more ?? ''}`;
  const at = await workspace({ ...options, yaml });
  at.write('token', at.gitea.token);
  const own = (path: string, mode: number, group: number = DISPATCHER): void => {
    chownSync(join(at.folder, path), DISPATCHER, group);
    chmodSync(join(at.folder, path), mode);
  };
  for (const folder of ['.agent-tasks', '.agent-tasks/hans', '.agent-tasks/greta']) mkdirSync(join(at.folder, folder));
  // The folder that a configuration lies in may be entered; what else lies in it is nobody's business.
  own('.', 0o755);
  own('token', 0o600);
  own('.agent-tasks', 0o750);
  own('.agent-tasks/hans', 0o2775, HANS);
  own('.agent-tasks/greta', 0o2775, GRETA);
  chmodSync(join(at.folder, 'dispatcher.yaml'), 0o644);
  const tasksFolder = join(at.folder, '.agent-tasks');
  const config = join(at.folder, 'dispatcher.yaml');
  const start = async (
    role: Role,
    line: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Finished> => {
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...RECORDING, ...environment };
    return finished(spawn('setpriv', as(role, line), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));
  };
  return {
    ...at,
    tasksFolder,
    runAs: async (role, args, environment) => {
      const line = ['sh', '-c', 'umask 027; exec "$@"', 'sh', NODE, COMMAND, ...args, '--config', config];
      return start(role, line, '/', environment);
    },
    shell: async (role, script, umask = '022') =>
      start(role, ['sh', '-c', `umask ${umask}; ${script}`], join(tasksFolder, 'hans')),
  };
}
