import type { Config } from '../core/config/config.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import { isOurs, renderUnits, type UnitFacts, type UnitFile } from '../core/config/units.ts';

export interface SystemdOptions {
  readonly user?: boolean;
  readonly now?: boolean;
  readonly runAs?: string;
  readonly directory?: string;
}

export interface SystemdDeps {
  readonly config: Pick<
    Config,
    'file' | 'tokenFile' | 'workspace' | 'tasksDirectory' | 'stateDirectory' | 'logFile' | 'monitor'
  >;
  readonly version: string;
  readonly node: string;
  readonly script: string;
  readonly homeDirectory: string;
  readonly temporaryDirectory: string;
  readonly userName: string;
  /** Where systemd looks for units. */
  readonly unitDirectory: (isUser: boolean) => string;
  /** The units as they ship. */
  readonly shipped: (isUser: boolean) => readonly UnitFile[];
  /** Name of the account that owns a folder; null when it is root, or not known. */
  readonly ownerOf: (path: string) => string | null;
  readonly accountExists: (name: string) => boolean;
  readonly exists: (path: string) => boolean;
  /** The text of a file; null when there is none. */
  readonly read: (path: string) => string | null;
  readonly write: (path: string, text: string) => void;
  readonly remove: (path: string) => void;
  /** Runs a command with its output to the terminal; answers its exit code. */
  readonly run: (command: readonly string[]) => Promise<number>;
  readonly print: (text: string) => void;
  readonly warn: (message: string) => void;
}

const CREDENTIAL = '/etc/dispatcher/token';

/** Prints the units as `install` would write them. */
export async function printUnits(deps: SystemdDeps, options: SystemdOptions): Promise<ExitCode> {
  for (const { path, text } of unitsFor(deps, options)) deps.print(`# ${path}\n${text}\n`);
  return EXIT.ok;
}

/** Writes the units and has systemd read them; with `now` it starts the timer. Each file and command is printed. */
export async function installUnits(deps: SystemdDeps, options: SystemdOptions): Promise<ExitCode> {
  refuseFleeting(deps);
  const units = unitsFor(deps, options);
  const foreign = units.find(({ path }) => !isOurs(deps.read(path) ?? '') && deps.read(path) !== null);
  if (foreign) {
    throw new UserError(`${foreign.path} is there already, and not written by this command`, {
      exitCode: EXIT.refused,
      code: 'unit_exists',
      hint: `move it away, or keep it and see what would be written: dispatcher systemd print`,
    });
  }
  for (const { path, text } of units) {
    const before = deps.read(path);
    if (before !== text) deps.write(path, text);
    deps.print(`${before === null ? 'written' : before === text ? 'unchanged' : 'renewed'}: ${path}\n`);
  }
  if (options.directory !== undefined) return EXIT.ok;
  if (needsCredential(deps, options) && !deps.exists(CREDENTIAL)) {
    deps.warn(
      `the service reads the token from ${CREDENTIAL}, which is not there: sudo install -D -m 0600 /dev/stdin ${CREDENTIAL}`,
    );
  }
  const systemctl = systemctlFor(options);
  await runAll(deps, [[...systemctl, 'daemon-reload']]);
  const start = [...systemctl, 'enable', '--now', 'dispatcher.timer'];
  if (options.now) await runAll(deps, [start]);
  deps.print(
    options.now ? '\nA pass runs every minute now. See: dispatcher status\n' : `\nTo start it: ${start.join(' ')}\n`,
  );
  deps.print(`The dashboard as a service: ${[...systemctl, 'enable', '--now', 'dispatcher-dashboard'].join(' ')}\n`);
  if (options.user) deps.print('To have it run while you are logged out: loginctl enable-linger\n');
  return EXIT.ok;
}

/** Stops and removes what `install` wrote, and says what stays. */
export async function uninstallUnits(deps: SystemdDeps, options: SystemdOptions): Promise<ExitCode> {
  const systemctl = systemctlFor(options);
  const present = unitsFor(deps, options).filter(({ path }) => isOurs(deps.read(path) ?? ''));
  if (present.length === 0) deps.print('No unit of ours is installed.\n');
  if (options.directory === undefined && present.length > 0) {
    const names = present.map(({ name }) => name).filter((name) => name !== 'dispatcher.service');
    await runAll(deps, [[...systemctl, 'disable', '--now', ...names]]);
  }
  for (const { path } of present) {
    deps.remove(path);
    deps.print(`removed: ${path}\n`);
  }
  if (options.directory === undefined && present.length > 0) await runAll(deps, [[...systemctl, 'daemon-reload']]);
  const { config } = deps;
  const stays = [config.file, config.tokenFile, config.tasksDirectory, config.stateDirectory, config.logFile];
  deps.print(`\nWhat stays:\n${stays.flatMap((path) => (path === null ? [] : [`  ${path}\n`])).join('')}`);
  return EXIT.ok;
}

interface PlacedUnit extends UnitFile {
  readonly path: string;
}

function unitsFor(deps: SystemdDeps, options: SystemdOptions): readonly PlacedUnit[] {
  const isUser = options.user ?? false;
  const folder = options.directory ?? deps.unitDirectory(isUser);
  const facts = factsFor(deps, options, isUser);
  return renderUnits(deps.shipped(isUser), facts).map((unit) => ({ ...unit, path: `${folder}/${unit.name}` }));
}

function factsFor(deps: SystemdDeps, options: SystemdOptions, isUser: boolean): UnitFacts {
  const { config } = deps;
  if (config.file === null) {
    throw new UserError('a service needs a configuration file: what you exported in this shell is not in a unit', {
      exitCode: EXIT.invalid,
      code: 'config_missing',
      hint: 'dispatcher init',
    });
  }
  const runAs = options.runAs ?? deps.ownerOf(config.workspace) ?? 'dispatcher';
  if (!isUser && !deps.accountExists(runAs)) {
    throw new UserError(`there is no account ${runAs} for the service to run as`, {
      exitCode: EXIT.invalid,
      code: 'no_account',
      hint: `make it: sudo useradd --system --home-dir ${config.workspace} ${runAs}; or name another one: --run-as NAME`,
    });
  }
  if (!isUser && deps.node.startsWith(`${deps.homeDirectory}/`)) {
    deps.warn(
      `${deps.node} lies below a home folder: the service stops when that Node is removed (nvm). A system Node is better`,
    );
  }
  return {
    isUser,
    node: deps.node,
    script: deps.script,
    config: config.file,
    writable: writableFolders(config),
    runAs,
    credential: needsCredential(deps, options) ? CREDENTIAL : null,
    version: deps.version,
  };
}

// The workspace, and what lies elsewhere.
function writableFolders(config: SystemdDeps['config']): readonly string[] {
  const { workspace, tasksDirectory, stateDirectory, logFile, monitor } = config;
  const files = [logFile, ...(monitor.metricsFile === null ? [] : [monitor.metricsFile])];
  const folders = [tasksDirectory, stateDirectory, ...files.map((file) => file.replace(/\/[^/]*$/u, ''))];
  return [workspace, ...new Set(folders.filter((path) => path !== workspace && !path.startsWith(`${workspace}/`)))];
}

// A token file of the configuration is read by the service's own user.
function needsCredential({ config }: SystemdDeps, { user }: SystemdOptions): boolean {
  return !user && config.tokenFile === null;
}

// Units that point there would fail as soon as it is swept.
function refuseFleeting({ script, temporaryDirectory }: SystemdDeps): void {
  const fleeting = /\/_npx\//u.test(script)
    ? 'the cache of npx'
    : script.startsWith(`${temporaryDirectory}/`)
      ? 'a temporary folder'
      : null;
  if (fleeting === null) return;
  throw new UserError(`this dispatcher runs from ${fleeting} (${script}), which will be gone one day`, {
    exitCode: EXIT.refused,
    code: 'fleeting_installation',
    hint: 'npm install -g agent-dispatcher, then run: dispatcher systemd install',
  });
}

function systemctlFor({ user }: SystemdOptions): readonly string[] {
  return user ? ['systemctl', '--user'] : ['systemctl'];
}

async function runAll(deps: SystemdDeps, commands: readonly (readonly string[])[]): Promise<void> {
  for (const command of commands) {
    deps.print(`+ ${command.join(' ')}\n`);
    const code = await deps.run(command);
    if (code === 0) continue;
    throw new UserError(`${command.join(' ')} ended with ${code}`, {
      exitCode: EXIT.failure,
      code: 'systemctl_failed',
      hint: command.includes('--user')
        ? 'a user session is needed: log in directly, or see loginctl enable-linger'
        : 'run it as root: sudo dispatcher systemd install',
    });
  }
}
