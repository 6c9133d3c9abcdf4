// `systemd install` ends well only when a pass of the service has.

import { isOurs } from '../core/config/units.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { Finding } from '../core/health/finding.ts';
import { findingText } from '../views/doctor.ts';
import { settle } from './systemd-mend.ts';
import {
  baseFor,
  configFile,
  type PlacedUnit,
  runAsOf,
  type SystemdDeps,
  type SystemdOptions,
  unitsFor,
} from './systemd-units.ts';

/** Prints the units as `install` would write them. */
export async function printUnits(deps: SystemdDeps, options: SystemdOptions): Promise<ExitCode> {
  for (const { path, text } of unitsFor(deps, options)) deps.print(`# ${path}\n${text}\n`);
  return EXIT.ok;
}

/**
 * Writes the units and has systemd read them, checks as the service what `doctor` checks, and with `now` runs a pass and
 * starts the timer. Each file and command is printed. Answers exit 1 when the service could not do its work.
 */
export async function installUnits(deps: SystemdDeps, options: SystemdOptions): Promise<ExitCode> {
  refuseFleeting(deps);
  const base = baseFor(deps, options);
  const isWritten = options.directory !== undefined;
  const settled = deps.isRoot && !options.user && !isWritten ? await settle(deps, options) : deps;
  writeUnits(settled, unitsFor(settled, options));
  if (isWritten) return EXIT.ok;
  await runAll(deps, [[...systemctlFor(options), 'daemon-reload']]);
  if (!(await isFit(settled, options, base))) return EXIT.failure;
  const systemctl = systemctlFor(options);
  const start = [...systemctl, 'enable', '--now', `${base}.timer`];
  if (options.now) {
    await provePass(settled, options, base);
    await runAll(deps, [start]);
    // A page that is served goes on with the version that it was started with.
    await runAll(deps, [[...systemctl, 'try-restart', `${base}-dashboard.service`]]);
    deps.print(sayOk('timer', 'a pass runs every minute from now on. See: dispatcher status'));
  } else {
    deps.print(`\nTo start it: ${start.join(' ')}\n`);
  }
  deps.print(`\nThe dashboard as a service: ${[...systemctl, 'enable', '--now', `${base}-dashboard`].join(' ')}\n`);
  if (options.user) deps.print('To have it run while you are logged out: loginctl enable-linger\n');
  return EXIT.ok;
}

/** Stops and removes what `install` wrote for this configuration, and says what stays. */
export async function uninstallUnits(deps: SystemdDeps, options: SystemdOptions): Promise<ExitCode> {
  const systemctl = systemctlFor(options);
  const base = baseFor(deps, options);
  const folder = options.directory ?? deps.unitDirectory(options.user ?? false);
  const names = deps.shipped(options.user ?? false).map(({ name }) => name.replace('dispatcher', base));
  const present = names
    .map((name) => ({ name, path: `${folder}/${name}` }))
    .filter(({ path }) => isOurs(deps.read(path) ?? ''));
  const isLive = options.directory === undefined && present.length > 0;
  if (present.length === 0) deps.print('No unit of ours is installed for this configuration.\n');
  if (isLive) {
    const started = present.map(({ name }) => name).filter((name) => name !== `${base}.service`);
    await runAll(deps, [[...systemctl, 'disable', '--now', ...started]]);
  }
  for (const { path } of present) {
    deps.remove(path);
    deps.print(`removed: ${path}\n`);
  }
  if (isLive) await runAll(deps, [[...systemctl, 'daemon-reload']]);
  const { config } = deps;
  const dropIns = names.flatMap((name) => deps.dropIns(options.user ?? false, name));
  const stays = [
    config.file,
    ...config.servers.map(({ tokenFile }) => tokenFile),
    config.tasksDirectory,
    config.stateDirectory,
    config.logFile,
    ...dropIns,
  ];
  deps.print(`\nWhat stays:\n${stays.flatMap((path) => (path === null ? [] : [`  ${path}\n`])).join('')}`);
  return EXIT.ok;
}

function writeUnits(deps: SystemdDeps, units: readonly PlacedUnit[]): void {
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
}

// As the service, since root can read and write what the service cannot.
async function isFit(deps: SystemdDeps, options: SystemdOptions, base: string): Promise<boolean> {
  const findings = await deps.examine(options.user ?? false, `${base}.service`, configFile(deps));
  const bad = findings.filter(({ status }) => status === 'failed' || status === 'warning');
  for (const finding of bad) deps.print(findingText(finding));
  const failed = bad.filter(({ status }) => status === 'failed').length;
  const who = `${options.user ? 'you' : runAsOf(deps, options)}, within ${base}.service`;
  if (failed === 0) deps.print(sayOk('doctor', `everything that a pass needs is there, seen as ${who}`));
  else deps.print(`\n${failed} failed, seen as ${who}. Nothing was started. When it is mended, repeat this command.\n`);
  return failed === 0;
}

async function provePass(deps: SystemdDeps, options: SystemdOptions, base: string): Promise<void> {
  const command = [...systemctlFor(options), 'start', `${base}.service`];
  const began = deps.now();
  deps.print(`+ ${command.join(' ')}\n`);
  const code = await deps.run(command);
  const pass = deps.passSince(deps.config, began);
  if (code === 0 && pass && !pass.hasFailed) return deps.print(sayOk('first pass', pass.text));
  throw new UserError(`a pass of the service did not end well: ${pass?.text ?? 'it recorded nothing'}`, {
    exitCode: EXIT.failure,
    code: 'first_pass_failed',
    hint: `what it said: journalctl ${options.user ? '--user-unit' : '-u'} ${base} -n 20; the timer was not started`,
  });
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

function sayOk(check: string, message: string): string {
  return findingText({ check, status: 'ok', message, fix: null } satisfies Finding);
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
