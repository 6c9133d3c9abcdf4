import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { SystemdDeps } from '../commands/systemd.ts';
import { EXIT, messageOf, systemCode, UserError } from '../core/errors.ts';
import { loadConfig } from '../io/config-file.ts';
import { accountOf, nameOf } from '../io/places.ts';
import { type GlobalOptions, packaged, warner, type World } from './world.ts';
import { createFolders } from '../io/files.ts';

const UNITS = ['dispatcher.service', 'dispatcher.timer', 'dispatcher-dashboard.service'];

/** The real dependencies of `systemd`. */
export function systemdDeps(world: World, options: GlobalOptions): SystemdDeps {
  const { environment } = world;
  return {
    config: loadConfig(options.config, world),
    version: world.version,
    node: process.execPath,
    script: realpathSync(process.argv[1] ?? ''),
    homeDirectory: homedir(),
    temporaryDirectory: realpathSync(tmpdir()),
    userName: userInfo().username,
    unitDirectory: (isUser) =>
      isUser
        ? join(environment['XDG_CONFIG_HOME'] || join(environment['HOME'] || homedir(), '.config'), 'systemd/user')
        : '/etc/systemd/system',
    shipped: (isUser) =>
      UNITS.map((name) => ({ name, text: readFileSync(packaged(`deploy/${isUser ? 'user/' : ''}${name}`), 'utf8') })),
    ownerOf: (path) => {
      const { uid } = statSync(path);
      return uid === 0 ? null : nameOf(uid);
    },
    accountExists: (name) => accountOf(name) !== null,
    exists: existsSync,
    read: (path) => unlessMissing(() => readFileSync(path, 'utf8')),
    write: (path, text) =>
      orRefused(path, () => {
        createFolders(dirname(path));
        writeFileSync(path, text, { mode: 0o644 });
      }),
    remove: (path) => orRefused(path, () => unlinkSync(path)),
    run: async ([program = '', ...args]) =>
      new Promise((resolve) => {
        const child = spawn(program, args, { stdio: 'inherit' });
        child.on('error', () => resolve(127));
        child.on('close', (code) => resolve(code ?? 1));
      }),
    print: world.stdout.write,
    warn: warner(world),
  };
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
