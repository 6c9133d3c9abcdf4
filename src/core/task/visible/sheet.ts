// The lines of a text, of which some are rewritten and all others stay as they are.

import { escapeTags } from '../untrusted.ts';

/** Lines, the last one not included. */
export type Range = [from: number, to: number];

/** The lines of a text, some of them rewritten. */
export type Sheet = ReturnType<typeof openSheet>;

/** Opens a text for rewriting. */
export function openSheet(text: string) {
  const lines = text.split('\n');
  const written = new Map<number, string>();
  let kept = Number.POSITIVE_INFINITY;
  // What stands before a line's content: signs of quotes and lists.
  const before = (line: string, content: string): string => {
    const at = content === '' ? -1 : line.lastIndexOf(content);
    return at < 0 ? (/^(?:[\s>]|[-*+](?=\s)|\d{1,9}[.)](?=\s))*/u.exec(line)?.[0] ?? '') : line.slice(0, at);
  };
  return {
    line: (index: number): string => lines[index] ?? '',
    write: (index: number, line: string): void => void written.set(index, line),
    /** Puts other content into lines, behind the signs that they begin with. */
    replace: ([from, to]: Range, content: string, other: string, isLoose = false): void => {
      const old = content.split('\n');
      const fresh = (isLoose ? other.replaceAll(/\n\s*\n/gu, '\n').trim() : other).split('\n');
      const last = Math.min(to, from + old.length) - 1;
      for (let index = from; index < to; index += 1) {
        const line = lines[index] ?? '';
        const prefix = before(line, (old[index - from] ?? '').trim());
        const rest = index === last ? fresh.slice(index - from) : fresh.slice(index - from, index - from + 1);
        const blank = prefix.replaceAll(/[^\s>]/gu, ' ');
        const [first = '', ...more] = index > last ? [] : rest;
        const tail = old.length > 0 && index <= last ? trailing(line, (old[index - from] ?? '').trim()) : '';
        written.set(
          index,
          [prefix + first + tail, ...more.map((each) => blank + each)].map((each) => each.trimEnd()).join('\n'),
        );
      }
    },
    drop: ([from, to]: Range): void => {
      for (let index = from; index < to; index += 1) written.set(index, before(lines[index] ?? '', '').trimEnd());
    },
    /** From this line on everything stays as it is written, with nothing live in it. */
    keepFrom: (index: number): void => void (kept = index),
    text: (): string =>
      lines
        .map((line, index) => (index >= kept ? withoutDefinition(escapeTags(line)) : (written.get(index) ?? line)))
        .join('\n'),
  };
}

// What could end the label of a reference definition, wherever that began (a label may go over lines), ends none.
function withoutDefinition(line: string): string {
  return line.replaceAll(/(?<!\\)((?:\\\\)*)\](?=:)/gu, String.raw`$1\]`);
}

// The signs that may close a heading.
function trailing(line: string, content: string): string {
  const at = content === '' ? -1 : line.lastIndexOf(content);
  const rest = at < 0 ? '' : line.slice(at + content.length);
  return /^[\s#]*$/u.test(rest) ? rest.trimEnd() : '';
}
