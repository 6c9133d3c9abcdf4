// Every regular expression of the source, wherever it stands and whatever it is for today, on texts that are made to be slow: one
// that is not linear is found when it is written, not when somebody finds it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { parseAst } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { HOSTILE, median, MEGABYTE, textOf, timed } from '../support/hostile-texts.ts';

const ROOT = fileURLToPath(new URL('../../src', import.meta.url));

/** Those that are not linear, and why they need not be. */
const SHORT: Readonly<Record<string, string>> = {
  [String.raw`io/gitea/attachments.ts /^[.-]+|[.-]+$/gu`]: 'a name of at most 255 characters',
  [String.raw`io/tasks/mailbox.ts /(\d+)\.md$/u`]: 'the name of a file, at most 255 bytes',
};

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

interface Found {
  readonly name: string;
  readonly expression: RegExp;
}

function* literalsIn(node: unknown): Generator<{ readonly pattern: string; readonly flags: string }> {
  if (typeof node !== 'object' || node === null) return;
  if ('regex' in node && node.regex) yield node.regex as { readonly pattern: string; readonly flags: string };
  for (const below of Object.values(node)) yield* literalsIn(below);
}

/** Those that are written out. */
function written(file: string): readonly Found[] {
  const { code } = transformSync(readFileSync(join(ROOT, file), 'utf8'), { loader: 'ts', target: 'esnext' });
  return [...literalsIn(parseAst(code))].map(({ pattern, flags }) => {
    const expression = new RegExp(pattern, flags);
    return { name: `${file} ${String(expression)}`, expression };
  });
}

const Ordinary = RegExp;
afterAll(() => void (globalThis.RegExp = Ordinary));

/** Those that are put together when the source is loaded, and the one that is when it is first needed. */
async function composed(): Promise<readonly Found[]> {
  const found: Found[] = [];
  let file = '';
  globalThis.RegExp = new Proxy(Ordinary, {
    construct: (target, given: [string, string]) => {
      const expression = new target(...given);
      if (file !== '') found.push({ name: `${file} ${String(expression)}`.slice(0, 200), expression });
      return expression;
    },
  });
  for (const name of files.filter((each) => readFileSync(join(ROOT, each), 'utf8').includes('new RegExp('))) {
    file = name;
    const { maskSecrets } = (await import(/* @vite-ignore */ join(ROOT, name))) as {
      maskSecrets?: (text: string) => string;
    };
    maskSecrets?.('x');
  }
  file = '';
  globalThis.RegExp = Ordinary;
  return found;
}

const used = ({ expression }: Found, text: string): unknown =>
  expression.global ? text.replaceAll(expression, '') : expression.test(text);

/** An expression may take for ever with thirty signs: from the size on that costs too much, longer ones are not tried. */
const SIZES = [12, 20, 24, 26, 28, 1000, 10_000];
const LONG_SIZES = [50_000, 200_000, MEGABYTE];

/** What the longest of texts of some sizes costs, or the first that costs too much. */
function costOf(found: Found, hostile: (typeof HOSTILE)[number], sizes: readonly number[], limit: number): number {
  let ms = 0;
  for (const size of sizes) {
    const text = textOf(hostile, size);
    const run = (): unknown => used(found, text);
    ms = timed(run);
    // Once may be an accident of this machine; what took a second was none.
    if (ms > limit && (ms > 1000 || median(run) > limit)) return Number.POSITIVE_INFINITY;
  }
  return ms;
}

test('11.18 each takes a megabyte in the time of replacing a few of its characters', { timeout: 300_000 }, async () => {
  const all = [...files.flatMap(written), ...(await composed())];
  expect(all.length).toBeGreaterThan(200);
  expect(all.map(({ name }) => name)).toEqual(
    expect.arrayContaining([...Object.keys(SHORT), expect.stringContaining('core/task/secrets.ts /')]),
  );
  // On this machine, just now.
  const replacing = median(() => '\r'.repeat(MEGABYTE).replaceAll(/\r\n?/gu, () => '\n'));
  const limit = Math.max(50, 2 * replacing);
  const slow: string[] = [];
  for (const found of all.filter(({ name }) => !(name in SHORT))) {
    const costs = HOSTILE.map((hostile) => ({ hostile, ms: costOf(found, hostile, SIZES, limit) }));
    // All of them in short, and the slowest of that in full: what is quadratic shows.
    for (const { hostile, ms } of costs.toSorted((x, y) => y.ms - x.ms).slice(0, 2)) {
      const isSlow = !Number.isFinite(ms) || !Number.isFinite(costOf(found, hostile, LONG_SIZES, limit));
      if (isSlow) slow.push(`${found.name}: ${hostile.what}`);
    }
  }
  expect(slow).toEqual([]);
});
