import { spawn } from 'node:child_process';

/** The CPU time of a start of Node with these arguments, user and system, in milliseconds. */
export async function cpuOf(
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  // bash measures: Node tells the CPU time of all its children together only.
  const child = spawn('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$0" "$@" >/dev/null 2>&1', process.execPath, ...args], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
  await new Promise((resolve) => child.on('close', resolve));
  const [user = 0, system = 0] = text.trim().split(' ').map(Number);
  return (user + system) * 1000;
}
