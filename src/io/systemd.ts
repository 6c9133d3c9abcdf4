// What systemd knows of the timer, the service and the dashboard, asked of systemctl.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TimerState } from '../core/health/health.ts';

export interface TimerUnits {
  readonly scope: 'system' | 'user';
  readonly timer: Unit;
  readonly service: Unit;
}

/** A unit's properties by name, as `systemctl show` prints them. */
export type Unit = Readonly<Record<string, string>>;

const PROPERTIES =
  'Id,LoadState,UnitFileState,ActiveState,NextElapseUSecRealtime,Result,ExecMainStatus,ExecStart,User,FragmentPath';
const TIMEOUT_MS = 2000;

/** The units of the system and of the user, those that are loaded; null when no systemd answers. */
export async function readTimerUnits(environment: NodeJS.ProcessEnv): Promise<readonly TimerUnits[] | null> {
  const answers = await Promise.all([show('system', environment), show('user', environment)]);
  if (answers.every((answer) => answer === null)) return null;
  return answers.flatMap((units, index) => {
    const [timer = {}, service = {}] = units ?? [];
    return timer['LoadState'] === 'loaded' || service['LoadState'] === 'loaded'
      ? [{ scope: index === 0 ? ('system' as const) : ('user' as const), timer, service }]
      : [];
  });
}

/** Whether a timer starts the passes, of the system or of the user; null when no systemd answers. */
export async function readTimerState(environment: NodeJS.ProcessEnv): Promise<TimerState> {
  const units = await readTimerUnits(environment);
  if (units === null) return null;
  if (units.length === 0) return 'not_installed';
  return units.some(({ timer }) => timer['ActiveState'] === 'active') ? 'active' : 'stopped';
}

/** The absolute paths that a service starts: the program, and the script behind it when there is one. */
export function startedPaths({ ExecStart = '' }: Unit): readonly string[] {
  const [, command = ''] = /argv\[\]=([^;]*)/u.exec(ExecStart) ?? [];
  return command
    .trim()
    .split(/\s+/u)
    .filter((word) => word.startsWith('/'))
    .slice(0, 2);
}

/** The file that systemd hands to a service as the credential `gitea-token`; null when it does not. */
export function tokenCredential({ FragmentPath }: Unit): string | null {
  if (!FragmentPath) return null;
  // `systemctl show` tells credentials from systemd 253 on only.
  try {
    return /^LoadCredential=gitea-token:(\S+)/mu.exec(readFileSync(FragmentPath, 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

async function show(scope: 'system' | 'user', environment: NodeJS.ProcessEnv): Promise<readonly Unit[] | null> {
  const args = ['show', 'dispatcher.timer', 'dispatcher.service', `--property=${PROPERTIES}`, '--no-pager'];
  return new Promise((resolve) => {
    execFile(
      'systemctl',
      scope === 'user' ? ['--user', ...args] : args,
      { timeout: TIMEOUT_MS, env: { ...environment, LC_ALL: 'C' } },
      (error, stdout) => resolve(error ? null : blocks(stdout)),
    );
  });
}

function blocks(text: string): readonly Unit[] {
  return text
    .trim()
    .split(/\n\n+/u)
    .map((block) =>
      Object.fromEntries(
        block.split('\n').map((line): [string, string] => {
          const equals = line.indexOf('=');
          return [line.slice(0, equals), line.slice(equals + 1)];
        }),
      ),
    );
}
