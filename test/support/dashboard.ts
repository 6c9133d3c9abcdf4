import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Workspace } from './command.ts';

export interface StartedDashboard {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Sends bytes as they are, and answers everything that comes back until the server closes, or the time is over. */
  readonly raw: (request: string, options?: { readonly waitMs?: number }) => Promise<string>;
}

/** Starts `dispatcher dashboard` of a workspace on a free port, and waits until it listens. It ends with the test. */
export async function startDashboard(
  at: Workspace,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedDashboard> {
  const child = at.start(['dashboard', '--port', '0', ...args], { GITEA_TOKEN: '', ...environment });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    const read = (part: string): void => {
      text += part;
      const [, found] = /Dashboard: (\S+)/u.exec(text) ?? [];
      if (found) resolve(found);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.on('close', () => reject(new Error(`the dashboard ended: ${text}`)));
  });
  const port = Number(new URL(url).port);
  return { url, port, child, raw: async (request, options) => exchange(port, request, options) };
}

async function exchange(port: number, request: string, { waitMs = 3000 } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let text = '';
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
