import { spawn } from 'node:child_process';
import { RECORDING } from './command.ts';
import { onTestFinished } from 'vitest';

export interface Terminal {
  /** Types keys as they are; `\r` is Enter. */
  readonly type: (keys: string) => void;
  /** Waits until something new that matches has been printed, and answers the match. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Everything printed so far, without colours and cursor movements. */
  readonly text: () => string;
}

const PATIENCE_MS = 20_000;

/** A shell behind a pseudo-terminal (util-linux script). It ends with the test. */
export function openTerminal(cwd: string, environment: Readonly<Record<string, string>>): Terminal {
  const child = spawn('script', ['-qec', 'stty cols 100 rows 40; exec bash --norc --noprofile', '/dev/null'], {
    cwd,
    env: { PS1: '$ ', TERM: 'xterm', LANG: 'C.UTF-8', HISTFILE: '/dev/null', ...RECORDING, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let raw = '';
  let read = 0;
  child.stdout.setEncoding('utf8').on('data', (part: string) => (raw += part));
  return {
    type: (keys) => void child.stdin.write(keys),
    until: async (pattern) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const all = plain(raw);
        const match = new RegExp(pattern.source, pattern.flags.replace('g', '')).exec(all.slice(read));
        if (match) {
          read += match.index + match[0].length;
          return match;
        }
        if (Date.now() > deadline) throw new Error(`${pattern} was not printed; what was:\n${all.slice(read)}`);
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      }
    },
    text: () => plain(raw),
  };
}

function plain(raw: string): string {
  // oxlint-disable-next-line no-control-regex -- terminals speak in control characters
  return raw.replaceAll(/\u001B(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007]*\u0007|[()].)|\r/gu, '');
}
