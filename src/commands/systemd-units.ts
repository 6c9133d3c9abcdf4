// Which units an office has, and what stands in them.

import type { Config } from '../core/config/config.ts';
import {
  type Credential,
  configOfCommand,
  isOfficeName,
  renderUnits,
  type UnitFacts,
  type UnitFile,
  unitBase,
  unnameable,
} from '../core/config/units.ts';
import { credentialName } from '../core/config/servers.ts';
import { EXIT, UserError } from '../core/errors.ts';
import type { Finding } from '../core/health/finding.ts';
import { shellWord } from '../core/shell-word.ts';
import type { Account } from '../io/places.ts';

export interface SystemdOptions {
  readonly user?: boolean;
  readonly now?: boolean;
  readonly yes?: boolean;
  readonly name?: string;
  readonly runAs?: string;
  readonly directory?: string;
}

export interface SystemdDeps {
  readonly config: Config;
  /** The configuration anew: a mend may have moved it. */
  readonly reload: (file: string) => Config;
  readonly version: string;
  readonly node: string;
  readonly script: string;
  readonly isRoot: boolean;
  readonly homeDirectory: string | null;
  readonly temporaryDirectory: string;
  /** What this shell exports and a service needs as well. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where systemd looks for units. */
  readonly unitDirectory: (isUser: boolean) => string;
  /** The units as they ship. */
  readonly shipped: (isUser: boolean) => readonly UnitFile[];
  /** The services that we wrote, of every office. */
  readonly services: (isUser: boolean) => readonly UnitFile[];
  /** Name of the account that owns a folder; null when it is root, or not known. */
  readonly ownerOf: (path: string) => string | null;
  readonly account: (name: string) => Account | null;
  readonly groupOf: (name: string) => number | null;
  readonly rightsOf: (path: string) => { readonly uid: number; readonly gid: number; readonly mode: number } | null;
  /** Whether something in a folder belongs to root. */
  readonly holdsRoots: (path: string) => boolean;
  readonly closedFolder: (path: string, account: Account | null) => string | null;
  readonly mayRead: (path: string, account: Account | null) => boolean;
  readonly putFolder: (path: string, uid: number, gid: number, mode: number) => void;
  readonly realPath: (path: string) => string;
  readonly exists: (path: string) => boolean;
  /** The text of a file; null when there is none. */
  readonly read: (path: string) => string | null;
  readonly write: (path: string, text: string) => void;
  readonly remove: (path: string) => void;
  /** Drop-ins of a unit: they stay when it goes. */
  readonly dropIns: (isUser: boolean, unit: string) => readonly string[];
  /** Runs a command with its output to the terminal; answers its exit code. */
  readonly run: (command: readonly string[]) => Promise<number>;
  /** What `doctor` finds as the service, within its sandbox. */
  readonly examine: (isUser: boolean, service: string, config: string) => Promise<readonly Finding[]>;
  /** How the last pass on record ended; null when there is none since that moment. */
  readonly passSince: (config: Config, since: number) => { readonly text: string; readonly hasFailed: boolean } | null;
  readonly now: () => number;
  /** Asks a person; null without a terminal. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  readonly print: (text: string) => void;
  readonly warn: (message: string) => void;
}

export interface PlacedUnit extends UnitFile {
  readonly path: string;
}

const CREDENTIAL = '/etc/dispatcher/token';
const ACCOUNT = 'dispatcher';

/** The units of this configuration, each with the place where systemd looks for it. */
export function unitsFor(deps: SystemdDeps, options: SystemdOptions): readonly PlacedUnit[] {
  const isUser = options.user ?? false;
  const folder = options.directory ?? deps.unitDirectory(isUser);
  return renderUnits(deps.shipped(isUser), factsFor(deps, options, isUser)).map((unit) => ({
    ...unit,
    path: `${folder}/${unit.name}`,
  }));
}

/** What the units of this configuration are called. Throws when that name runs another configuration. */
export function baseFor(deps: SystemdDeps, { user = false, name, directory }: SystemdOptions): string {
  if (name !== undefined && !isOfficeName(name)) {
    throw new UserError(`units cannot be called ${JSON.stringify(name)}`, {
      exitCode: EXIT.usage,
      code: 'usage',
      hint: 'use small letters, digits and hyphens: --name acme (its units are dispatcher-acme.service and so on)',
    });
  }
  const wanted = name === undefined ? null : unitBase(name);
  if (directory !== undefined) return wanted ?? unitBase(null);
  const offices = deps.services(user).map((service) => ({
    base: service.name.replace(/\.service$/u, ''),
    config: configOfCommand(/^ExecStart=.*$/mu.exec(service.text)?.[0] ?? ''),
  }));
  const file = configFile(deps);
  const own = offices.find(({ config }) => config !== null && deps.realPath(config) === deps.realPath(file));
  if (own && wanted !== null && own.base !== wanted) {
    throw taken(
      `${own.base}.service runs this configuration already`,
      `keep it, or first: dispatcher systemd uninstall`,
    );
  }
  const base = own?.base ?? wanted ?? unitBase(null);
  const other = offices.find((office) => office.base === base && office !== own);
  if (other?.config && deps.exists(other.config)) {
    const free = suggestion(
      deps,
      offices.map((office) => office.base),
    );
    throw taken(
      `${base}.service runs another configuration: ${other.config}`,
      `give this office a name of its own: dispatcher systemd install --name ${free}${user ? ' --user' : ''} --now`,
    );
  }
  return base;
}

/** Who the service runs as. */
export function runAsOf(deps: SystemdDeps, { runAs }: SystemdOptions): string {
  return runAs ?? deps.ownerOf(deps.config.workspace) ?? ACCOUNT;
}

/** The configuration's file. Throws exit 78 when it is in the environment only. */
export function configFile({ config }: SystemdDeps): string {
  if (config.file !== null) return config.file;
  throw new UserError('a service needs a configuration file: what you exported in this shell is not in a unit', {
    exitCode: EXIT.invalid,
    code: 'config_missing',
    hint: 'dispatcher init',
  });
}

/** The files that systemd reads tokens, and the address of the store, from for the service: those that its own user cannot read. */
export function credentialsFor(deps: SystemdDeps, options: SystemdOptions, runAs: string): readonly Credential[] {
  if (options.user) return [];
  const address = deps.config.store?.urlFile ?? null;
  const isShut = address !== null && deps.exists(address) && !deps.mayRead(address, deps.account(runAs));
  return [...tokensFor(deps, runAs), ...(isShut ? [{ name: 'store-url', file: address }] : [])];
}

function tokensFor(deps: SystemdDeps, runAs: string): readonly Credential[] {
  return deps.config.servers.flatMap(({ name: server, tokenFile }) => {
    const name = credentialName(server);
    if (tokenFile === null) return [{ name, file: server === null ? CREDENTIAL : `${CREDENTIAL}-${server}` }];
    const isShut = deps.exists(tokenFile) && !deps.mayRead(tokenFile, deps.account(runAs));
    return isShut ? [{ name, file: tokenFile }] : [];
  });
}

function factsFor(deps: SystemdDeps, options: SystemdOptions, isUser: boolean): UnitFacts {
  const { config } = deps;
  const file = configFile(deps);
  const base = baseFor(deps, options);
  const runAs = runAsOf(deps, options);
  if (!isUser && deps.account(runAs) === null) {
    throw new UserError(`there is no account ${runAs} for the service to run as`, {
      exitCode: EXIT.invalid,
      code: 'no_account',
      hint: `make it: sudo useradd --system --home-dir ${shellWord(config.workspace)} ${shellWord(runAs)}; or name another one: --run-as NAME`,
    });
  }
  if (!isUser && deps.homeDirectory !== null && deps.node.startsWith(`${deps.homeDirectory}/`)) {
    deps.warn(
      `${deps.node} lies below a home folder: the service stops when that Node is removed (nvm). A system Node is better`,
    );
  }
  const facts = {
    isUser,
    base,
    node: deps.node,
    script: deps.script,
    config: file,
    writable: writableFolders(config),
    runAs,
    credentials: credentialsFor(deps, options, runAs),
    environment: deps.environment,
    version: deps.version,
  };
  const strange = unnameable(facts);
  if (strange === null) return facts;
  throw new UserError(
    `a path with a control character (a line break), or a file whose name ends with a blank or a backslash, cannot stand in a unit: ${JSON.stringify(strange)}`,
    { exitCode: EXIT.invalid, code: 'strange_path', hint: 'give the file or folder another name' },
  );
}

// The workspace, and what lies elsewhere.
function writableFolders({ workspace, tasksDirectory, stateDirectory, logFile, monitor }: Config): readonly string[] {
  const files = [logFile, ...(monitor.metricsFile === null ? [] : [monitor.metricsFile])];
  const folders = [tasksDirectory, stateDirectory, ...files.map((file) => file.replace(/\/[^/]*$/u, ''))];
  return [workspace, ...new Set(folders.filter((path) => path !== workspace && !path.startsWith(`${workspace}/`)))];
}

function suggestion({ config }: SystemdDeps, bases: readonly string[]): string {
  const word = config.workspace
    .replace(/^.*\//u, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
  const first = isOfficeName(word) ? word : 'second';
  const free = [first, ...[2, 3, 4, 5, 6, 7, 8, 9].map((number) => `${first}-${number}`)];
  return free.find((name) => !bases.includes(unitBase(name))) ?? first;
}

function taken(message: string, hint: string): UserError {
  return new UserError(message, { exitCode: EXIT.refused, code: 'unit_taken', hint });
}
