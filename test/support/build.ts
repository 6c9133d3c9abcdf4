import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A copy of everything that the command is built from, in a new folder, which the caller removes. */
export function copyOfSource(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-build-'));
  chmodSync(folder, 0o755); // some tests run it as another user
  for (const name of ['bin', 'src', 'templates', 'deploy', '.esbuild.mjs', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Builds a copy, with more flags for esbuild if need be. Answers the command, for `DISPATCHER_TEST_COMMAND`. */
export function build(folder: string, flags: readonly string[] = []): string {
  execFileSync(process.execPath, ['.esbuild.mjs', ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(folder, 'bin/dispatcher.js');
}
