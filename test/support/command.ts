import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { CACHE_OF_RUN } from './cache.ts';
import { type FakeGitea, type FakeGiteaOptions, startFakeGitea } from './gitea/server.ts';

/** The built command; another build of it where test/faults plants a bug. */
export const COMMAND =
  process.env['DISPATCHER_TEST_COMMAND'] ?? fileURLToPath(new URL('../../bin/dispatcher.js', import.meta.url));
/** `.ci/run` repeats these tests with other versions of Node. */
export const NODE = process.env['DISPATCHER_TEST_NODE'] ?? process.execPath;
const RECORDS = process.env['DISPATCHER_TEST_COVERAGE'];
/** In the environment of each started command: test/coverage has it write down what it ran. */
export const RECORDING: Readonly<Record<string, string>> = RECORDS === undefined ? {} : { NODE_V8_COVERAGE: RECORDS };

const cache = process.env[CACHE_OF_RUN];
/** The same: all share what was compiled. */
const CACHE: Readonly<Record<string, string>> = cache === undefined ? {} : { XDG_CACHE_HOME: cache };

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workspace {
  readonly folder: string;
  readonly gitea: FakeGitea;
  /** Runs the built command as a process of its own. */
  readonly run: (args: readonly string[], environment?: Readonly<Record<string, string>>) => Promise<Finished>;
  readonly start: (args: readonly string[], environment?: Readonly<Record<string, string>>) => ChildProcess;
  /** Every file below the folder, relative, sorted. */
  readonly files: () => readonly string[];
  /** Those below the task folder, without what a pass leaves there for the agents. */
  readonly tasks: () => readonly string[];
  readonly read: (name: string) => string;
  readonly write: (name: string, text: string) => void;
}

interface WorkspaceOptions extends FakeGiteaOptions {
  readonly yaml?: string;
  /** Another one, with whose fake Gitea it works. */
  readonly beside?: Workspace;
}

/** A new folder with a configuration, beside a fake Gitea of its own. Both go away when the test is over. */
export async function workspace(options: WorkspaceOptions = {}): Promise<Workspace> {
  const gitea = options.beside?.gitea ?? (await startFakeGitea(options));
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-test-'));
  onTestFinished(async () => {
    if (!options.beside) await gitea.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const yaml = options.yaml ?? 'gitea:\n  url: URL\n  repositories: [acme/app]\n';
  writeFileSync(join(folder, 'dispatcher.yaml'), yaml.replaceAll('URL', gitea.url));
  const start: Workspace['start'] = (args, environment = {}) =>
    spawn(NODE, [COMMAND, ...args], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        ...CACHE,
        TZ: 'Europe/Berlin',
        GITEA_TOKEN: gitea.token,
        ...RECORDING,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const files = (): readonly string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      // What newer Nodes have compiled.
      .filter((entry) => !entry.parentPath.includes('/.cache/agent-dispatcher'))
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted();
  return {
    folder,
    gitea,
    start,
    run: async (args, environment) => finished(start(args, environment)),
    files,
    tasks: () => files().filter((name) => /^\.agent-tasks\/(?!.*\/?\.(?:wake|dispatcher\.json)$)/u.test(name)),
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    write: (name, text) => writeFileSync(join(folder, name), text),
  };
}

/** What a started command printed, and how it ended. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...output })));
}
