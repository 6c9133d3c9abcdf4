// What systemd knows of the timers, the services and what they start, asked of systemctl.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configOfCommand, isOurs, trialUnit, unitBase, type UnitFile } from '../core/config/units.ts';
import { credentialName } from '../core/config/servers.ts';
import { EXIT, messageOf, UserError } from '../core/errors.ts';
import type { Timer } from '../core/health/health.ts';
import { configHome } from './home.ts';

/** The units of one office. */
export interface TimerUnits {
  readonly scope: 'system' | 'user';
  /** `dispatcher`, or `dispatcher-NAME`. */
  readonly base: string;
  readonly timer: Unit;
  readonly service: Unit;
  /** The configuration that the service starts with; null when its command does not name one. */
  readonly config: string | null;
}

/** A unit's properties by name, as `systemctl show` prints them. */
export type Unit = Readonly<Record<string, string>>;

type Scope = TimerUnits['scope'];

const PROPERTIES =
  'Id,LoadState,UnitFileState,ActiveState,NextElapseUSecRealtime,LastTriggerUSec,Result,ExecMainStatus,ExecStart,User,FragmentPath,DropInPaths';
const TIMEOUT_MS = 2000;
// The pass and `doctor` have less than a minute each.
const TRIAL_MS = 90_000;
const MANY = 50;

/** The folder in which `systemd install` writes units. Throws exit 2 when the user has no place for units of his own. */
export function unitFolder(scope: Scope, environment: NodeJS.ProcessEnv): string {
  if (scope === 'system') return '/etc/systemd/system';
  const own = configHome(environment);
  if (own !== null) return join(own, 'systemd/user');
  throw new UserError('this user has no home folder, so no units of its own', {
    exitCode: EXIT.usage,
    code: 'no_home',
    hint: 'set HOME, or install units for the machine: sudo dispatcher systemd install',
  });
}

/**
 * The units of the system and of the user, those that are loaded: of every office, or of the one with that configuration
 * (and those that do not tell which one they have). Null when no systemd answers.
 */
export async function readTimerUnits(
  environment: NodeJS.ProcessEnv,
  config?: string | null,
): Promise<readonly TimerUnits[] | null> {
  const answers = await Promise.all([office('system', environment), office('user', environment)]);
  if (answers.every((answer) => answer === null)) return null;
  const all = answers.flatMap((units) => units ?? []);
  return config === undefined ? all : all.filter((units) => units.config === null || isSame(units.config, config));
}

/** Whether a timer starts the passes of a configuration, of the system or of the user, and which one. */
export async function readTimer(environment: NodeJS.ProcessEnv, config: string | null): Promise<Timer> {
  const units = await readTimerUnits(environment, config);
  if (units === null) return { state: null, unit: null };
  const running = units.filter(({ timer }) => timer['ActiveState'] === 'active');
  const [first] = [...running, ...units];
  if (!first) return { state: 'not_installed', unit: null };
  const unit = { name: first.base, scope: first.scope };
  if (running.length === 0) return { state: 'stopped', unit };
  const isDue = running.every(({ timer }) => /^(?:n\/a)?$/u.test(timer['LastTriggerUSec'] ?? '-'));
  return { state: isDue ? 'due' : 'active', unit };
}

/** The absolute paths that a service starts: the program, and the script behind it when there is one. */
export function startedPaths(service: Unit): readonly string[] {
  const command = commandOf(service).trim();
  // systemctl puts single blanks between the words and quotes none: it tells by itself only where the program ends.
  const [, path = ''] = /\bpath=(.*?) ; argv\[\]=/u.exec(service['ExecStart'] ?? '') ?? [];
  const [first = ''] = command.split(/\s+/u);
  const program = path !== '' && `${command} `.startsWith(`${path} `) ? path : first;
  const [rest = ''] = command.slice(program.length).split(/ (?:--config|-c) /u);
  const [, script] = / (\/.*?\.[cm]?js)(?= |$)/u.exec(rest) ?? / (\/\S*)/u.exec(rest) ?? [];
  return [program, script].flatMap((each) => (each?.startsWith('/') ? [each] : []));
}

/** The file that systemd hands to a service as the token of a server; null when it does not. */
export function tokenCredential({ FragmentPath }: Unit, server: string | null): string | null {
  if (!FragmentPath) return null;
  // `systemctl show` tells credentials from systemd 253 on only.
  try {
    const start = `LoadCredential=${credentialName(server)}:`;
    const line = readFileSync(FragmentPath, 'utf8')
      .split('\n')
      .find((each) => each.startsWith(start));
    // All that is left of the line is the path, with blanks and all.
    return line?.slice(start.length).trim().replaceAll('%%', '%') || null;
  } catch {
    return null;
  }
}

/** The services of passes that `systemd install` wrote, of every office. */
export function writtenServices(scope: Scope, environment: NodeJS.ProcessEnv): readonly UnitFile[] {
  try {
    const folder = unitFolder(scope, environment);
    return readdirSync(folder)
      .filter((name) => /^dispatcher(?:-[a-z0-9-]+)?\.service$/u.test(name) && !name.endsWith('-dashboard.service'))
      .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
      .filter(({ text }) => isOurs(text));
  } catch {
    return [];
  }
}

/** A unit with its drop-ins, as one text; an empty one when it cannot be had. */
export async function unitText(scope: Scope, name: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await systemctl(scope, ['cat', name], environment, TIMEOUT_MS);
  return stdout;
}

/**
 * Runs a command once as a service would run its own: as its user, with its credentials, within its sandbox. Answers what
 * the command printed. Throws exit 1 when systemd cannot start it.
 */
export async function tryAsService(
  scope: Scope,
  text: string,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const runtime = scope === 'system' ? '/run' : environment['XDG_RUNTIME_DIR'] || `/run/user/${process.getuid?.()}`;
  const name = `dispatcher-trial-${process.pid}.service`;
  const folder = join(runtime, 'systemd', scope);
  const file = join(folder, name);
  const output = join(runtime, `dispatcher-trial-${process.pid}.out`);
  try {
    // For the system it is there, or there is no systemd; to make it would have others believe that there is one.
    if (scope === 'user') mkdirSync(folder, { recursive: true });
    writeFileSync(file, trialUnit(text, command, output), { mode: 0o644, flag: 'wx' });
    const { failure, stderr } = await systemctl(scope, ['start', name], environment, TRIAL_MS);
    if (failure !== null) throw new Error(stderr.trim() || failure);
    return existsSync(output) ? readFileSync(output, 'utf8') : '';
  } catch (error) {
    throw new UserError(`systemd cannot start a command as the service would be started: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'systemctl_failed',
      hint:
        scope === 'user'
          ? 'a user session is needed: log in directly, or see loginctl enable-linger'
          : 'run it as root: sudo dispatcher systemd install',
      cause: error,
    });
  } finally {
    rmSync(file, { force: true });
    rmSync(output, { force: true });
  }
}

async function office(scope: Scope, environment: NodeJS.ProcessEnv): Promise<readonly TimerUnits[] | null> {
  const bases = [unitBase(null), ...furtherBases(scope, environment)];
  const names = bases.flatMap((base) => [`${base}.timer`, `${base}.service`]);
  const { failure, stdout } = await systemctl(
    scope,
    ['show', ...names, `--property=${PROPERTIES}`, '--no-pager'],
    environment,
    TIMEOUT_MS,
  );
  if (failure !== null) return null;
  const found = blocks(stdout);
  return bases.flatMap((base, index) => {
    const [timer = {}, service = {}] = found.slice(index * 2);
    if (timer['LoadState'] !== 'loaded' && service['LoadState'] !== 'loaded') return [];
    return [{ scope, base, timer, service, config: configOfCommand(commandOf(service)) }];
  });
}

// Units of further offices: systemd itself lists only those that are running.
function furtherBases(scope: Scope, environment: NodeJS.ProcessEnv): readonly string[] {
  const bases = writtenServices(scope, environment).map(({ name }) => name.replace(/\.service$/u, ''));
  return bases.filter((base) => base !== unitBase(null)).slice(0, MANY);
}

function commandOf({ ExecStart = '' }: Unit): string {
  return /argv\[\]=(.*?) ; (?:ignore_errors=|\})/u.exec(ExecStart)?.[1] ?? '';
}

function isSame(a: string, b: string | null): boolean {
  return b !== null && (a === b || realPathOf(a) === realPathOf(b));
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

interface Answer {
  /** Null: it ended well. */
  readonly failure: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function systemctl(
  scope: Scope,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  timeout: number,
): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(
      'systemctl',
      scope === 'user' ? ['--user', ...args] : args,
      { timeout, env: { ...environment, LC_ALL: 'C' } },
      (error, stdout, stderr) => resolve({ failure: error ? messageOf(error) : null, stdout, stderr }),
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
