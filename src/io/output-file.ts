// What a command prints, kept in a file: its beginning as it comes, so that one can watch it, and its end; secrets masked,
// nothing in it that steers a terminal.

import { closeSync, writeSync } from 'node:fs';
import { maskSecrets } from '../core/task/secrets.ts';
import { visibleText } from '../core/task/untrusted.ts';

export interface Output {
  readonly take: (stream: string, text: string) => void;
  /** The last lines, on one. */
  readonly end: (most: number) => string;
  /** Writes what is missing, and closes the file. */
  readonly close: () => void;
}

const HEAD_BYTES = 512 * 1024;
const TAIL_BYTES = 64 * 1024;
const LONGEST_LINE = 4000;

/** Keeps output in an opened file. A disk that is full loses the rest of it, and nothing else. */
export function keepOutput(handle: number): Output {
  const open = new Map<string, string>();
  let written = 0;
  let left = 0;
  let tail = '';
  const write = (text: string): void => {
    try {
      written += Buffer.byteLength(text);
      writeSync(handle, text);
    } catch {
      written = HEAD_BYTES;
    }
  };
  return {
    take: (stream, text) => {
      tail = (tail + text).slice(-TAIL_BYTES);
      if (written >= HEAD_BYTES) {
        left += text.length;
        return;
      }
      const lines = `${open.get(stream) ?? ''}${text}`.split('\n');
      const rest = lines.pop() ?? '';
      open.set(stream, rest.slice(0, LONGEST_LINE));
      for (const line of lines) write(`${shown(line)}\n`);
    },
    end: (most) => {
      const lines = tail
        .trimEnd()
        .split('\n')
        .slice(-20)
        .map((line) => shown(line.slice(-LONGEST_LINE)));
      return lines.join(' | ').slice(-most);
    },
    close: () => {
      for (const rest of open.values()) if (rest !== '') write(`${shown(rest)}\n`);
      if (left > 0) {
        const lines = tail
          .slice(-left)
          .split('\n')
          .map((line) => shown(line));
        write(`[... ${Math.max(0, left - TAIL_BYTES)} characters left out ...]\n${lines.join('\n')}\n`);
      }
      closeSync(handle);
    },
  };
}

function shown(line: string): string {
  const cut = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}...` : line;
  return visibleText(maskSecrets(cut.replace(/\r$/u, '')));
}
