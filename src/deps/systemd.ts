import { spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SystemdDeps } from '../commands/systemd-units.ts';
import { fromRfc3339 } from '../core/clock.ts';
import { EXIT, messageOf, systemCode, UserError } from '../core/errors.ts';
import { type Finding, parseReport } from '../core/health/finding.ts';
import { loadConfig } from '../io/config-file.ts';
import { createFolders } from '../io/files.ts';
import { homeFolder } from '../io/home.ts';
import { accountOf, closedFolder, groupOf, holdsFilesOf, mayRead, nameOf, putFolder, rightsOf } from '../io/places.ts';
import { terminalPrompter } from '../io/prompts.ts';
import { readPassHistory } from '../io/state/store.ts';
import { tryAsService, unitFolder, unitText, writtenServices } from '../io/systemd.ts';
import { type GlobalOptions, now, packaged, warner, type World } from './world.ts';

const UNITS = ['dispatcher.service', 'dispatcher.timer', 'dispatcher-dashboard.service'];
// What a pass needs of the shell that it was set up in. A proxy's password has no place in a unit, which everybody can read.
const EXPORTED = [
  'NODE_EXTRA_CA_CERTS',
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
];

const RIGHTS = {
  account: accountOf,
  groupOf,
  rightsOf,
  holdsRoots: (path: string) => holdsFilesOf(path, 0),
  closedFolder,
  mayRead,
  putFolder,
};

/** The real dependencies of `systemd`. */
export function systemdDeps(world: World, options: GlobalOptions): SystemdDeps {
  const { environment } = world;
  const node = process.execPath;
  const script = realpathSync(process.argv[1] ?? '');
  const scopeOf = (isUser: boolean): 'user' | 'system' => (isUser ? 'user' : 'system');
  return {
    config: loadConfig(options.config, world),
    reload: (file) => loadConfig(file, world),
    version: world.version,
    node,
    script,
    isRoot: process.getuid?.() === 0,
    homeDirectory: homeFolder(environment),
    temporaryDirectory: realpathSync(tmpdir()),
    environment: exported(environment),
    unitDirectory: (isUser) => unitFolder(scopeOf(isUser), environment),
    shipped: (isUser) =>
      UNITS.map((name) => ({ name, text: readFileSync(packaged(`deploy/${isUser ? 'user/' : ''}${name}`), 'utf8') })),
    services: (isUser) => writtenServices(scopeOf(isUser), environment),
    ownerOf: (path) => {
      const { uid } = statSync(path);
      return uid === 0 ? null : nameOf(uid);
    },
    ...RIGHTS,
    realPath: (path) => (existsSync(path) ? realpathSync(path) : path),
    exists: existsSync,
    read: (path) => unlessMissing(() => readFileSync(path, 'utf8')),
    write: (path, text) =>
      orRefused(path, () => {
        createFolders(dirname(path));
        writeFileSync(path, text, { mode: 0o644 });
      }),
    remove: (path) => orRefused(path, () => unlinkSync(path)),
    dropIns: (isUser, unit) => dropInsOf(join(unitFolder(scopeOf(isUser), environment), `${unit}.d`)),
    run: runInherited,
    examine: async (isUser, service, config) => {
      const text = await unitText(scopeOf(isUser), service, environment);
      return examineAs(world, scopeOf(isUser), text, [node, script], config);
    },
    passSince,
    now,
    confirm:
      process.stdin.isTTY && world.stdout.isTTY ? async (question) => terminalPrompter().confirm(question) : null,
    print: world.stdout.write,
    warn: warner(world),
  };
}

const passSince: SystemdDeps['passSince'] = (config, since) => {
  const { lastPass } = readPassHistory(config).state;
  if (!lastPass || (fromRfc3339(lastPass.finishedAt) ?? 0) < since) return null;
  const done = lastPass.ref === null ? 'nothing to dispatch' : `dispatched ${lastPass.ref}`;
  return { text: lastPass.error?.message ?? `it ended well: ${done}`, hasFailed: lastPass.outcome === 'failed' };
};

async function runInherited([program = '', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', () => resolve(127));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** What `doctor` finds when it runs as a service runs. Throws exit 1 when it cannot be started so. */
export async function examineAs(
  { environment }: World,
  scope: 'user' | 'system',
  unit: string,
  program: readonly string[],
  config: string,
): Promise<readonly Finding[]> {
  const command = [...program, 'doctor', '--json', '--as-service', '--config', config];
  const printed = await tryAsService(scope, unit, command, environment);
  const findings = parseReport(printed);
  if (findings) return findings;
  throw new UserError(`the service cannot be started: ${printed.trim() || 'it printed nothing'}`, {
    exitCode: EXIT.failure,
    code: 'service_unstartable',
    hint: `what systemd says of it: journalctl ${scope === 'user' ? '--user ' : ''}-n 20 | grep dispatcher-trial`,
  });
}

function exported(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    EXPORTED.flatMap((name) => {
      const value = environment[name];
      return value && !/\p{Cc}|\/\/[^/]*@/u.test(value) ? [[name, value]] : [];
    }),
  );
}

function dropInsOf(folder: string): readonly string[] {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder).map((name) => join(folder, name))
    : [];
}

function unlessMissing(read: () => string): string | null {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function orRefused(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new UserError(`${path} cannot be changed: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'unit_unwritable',
      hint: 'run it with sudo, or for your own user: dispatcher systemd install --user',
      cause: error,
    });
  }
}
