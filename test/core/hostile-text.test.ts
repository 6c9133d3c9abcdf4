// Everything that meets text of others, on megabytes that are made to be slow: nobody's issue may take a pass its time.

import { describe, expect, test } from 'vitest';
import { candidateFor } from '../../src/core/issue/candidate.ts';
import { parseLogLine, textLine } from '../../src/core/health/log-event.ts';
import { referencesIn } from '../../src/core/issue/context.ts';
import { ratePriority } from '../../src/core/issue/priority.ts';
import { taskData, taskFrontMatter } from '../../src/core/task/document.ts';
import { acceptanceCriteria } from '../../src/core/task/body-sections.ts';
import { parseFrontMatter } from '../../src/core/task/front-matter.ts';
import { newsIn, seenOf } from '../../src/core/task/news.ts';
import { maskSecrets } from '../../src/core/task/secrets.ts';
import { bodyOf, taskSections } from '../../src/core/task/sections.ts';
import {
  cleanInline,
  cleanLine,
  cleanLogin,
  cleanText,
  cut,
  quoteBetweenMarkers,
  visibleText,
} from '../../src/core/task/untrusted.ts';
import { updateData } from '../../src/core/task/update.ts';
import { parseTimeline } from '../../src/io/gitea/wire-context.ts';
import { parseFullIssue, parseListed } from '../../src/io/gitea/wire.ts';
import { aConfig, aComment, aDispatch, aFullIssue, aTrackedTask, iso, NOON } from '../support/builders.ts';

const MEGABYTE = 1_000_000;

// What regular expressions and parsers stumble over: long runs, openings without an end, things nearly there.
const HOSTILE: readonly {
  readonly what: string;
  readonly unit: string;
  readonly before?: string;
  readonly after?: string;
}[] = [
  { what: 'blanks in a heading', before: '# a', unit: ' ', after: 'b' },
  { what: 'blanks in a label', before: 'priority', unit: ' ', after: 'x' },
  { what: 'blanks in a title', before: '[', unit: ' ', after: 'x' },
  { what: 'blanks', unit: ' ' },
  { what: 'tabs', before: 'token', unit: '\t', after: '=' },
  { what: 'line feeds', unit: '\n', after: 'x' },
  { what: 'carriage returns', unit: '\r', after: 'x' },
  { what: 'signs of headings', unit: '#' },
  { what: 'signs of headings behind one', before: '# ', unit: '#', after: 'x' },
  { what: 'headings', unit: '# a\n' },
  { what: 'openings of comments', unit: '<!--' },
  { what: 'openings of comments, halved', unit: '<!-<!--', after: '-->' },
  { what: 'openings of tags', unit: '<' },
  { what: 'tags that are never closed', unit: '<a b="' },
  { what: 'closing tags', unit: '</p' },
  { what: 'opening brackets', unit: '[' },
  { what: 'closing brackets', unit: ']' },
  { what: 'openings of pictures', unit: '![' },
  { what: 'links that are never closed', unit: '[a](' },
  { what: 'links into links', unit: '[a](/b' },
  { what: 'reference definitions', unit: '[a]: b\n' },
  { what: 'backticks', unit: '`' },
  { what: 'backticks of growing length', unit: '`a``b```c````d' },
  { what: 'fences', unit: '```\n' },
  { what: 'quotes', unit: '> ' },
  { what: 'quotes, deep', unit: '>' },
  { what: 'lists, deep', unit: '- ' },
  { what: 'stars', unit: '*' },
  { what: 'stars and words', unit: '*a_ ' },
  { what: 'stars in both directions', unit: 'a**b**' },
  { what: 'underscores', unit: '_a' },
  { what: 'entities', unit: '&amp;' },
  { what: 'openings of entities', unit: '&' },
  { what: 'backslashes', unit: '\\' },
  { what: 'pipes', unit: '|' },
  { what: 'tables', unit: '|a|\n|-|\n' },
  { what: 'digits', unit: '1', after: '. [ ] x' },
  { what: 'boxes', unit: '- [ ] a\n' },
  { what: 'half a box', unit: '- [' },
  { what: 'tokens, nearly', unit: '-eyJaaaaaaaa' },
  { what: 'tokens with dots, nearly', unit: 'eyJaaaaaaaa.aaaaaaaa.' },
  { what: 'addresses, nearly', unit: '//a:' },
  { what: 'addresses', unit: 'https://' },
  { what: 'bearers', unit: 'bearer ' },
  { what: 'names of secrets', unit: 'token: ' },
  { what: 'keys, nearly', unit: 'sk-', after: ' ' },
  { what: 'a word without an end', unit: 'a' },
  { what: 'dots', unit: '.', after: 'a' },
  { what: 'dashes', before: '---\n', unit: '-', after: '\n' },
  { what: 'lines of front matter', before: '---\n', unit: 'a: [\n' },
  { what: 'JSON, deep', before: '---\na: ', unit: '[', after: '\n---\n' },
  { what: 'a line of the log, nearly', before: '[DISPATCHER] 2026/04/09 14:32:15.123456 ! ', unit: 'A ' },
  { what: 'a line of the log in JSON', before: '{"event":"', unit: 'a_', after: '"}' },
  { what: 'markers', unit: '<!-- BEGIN GITEA TEXT a: b -->\n' },
  { what: 'markers, nearly', before: '<!-- BEGIN GITEA TEXT a: ', unit: ' -->', after: 'x' },
  { what: 'invisible characters', unit: '\u200B' },
  { what: 'joiners', unit: '\u200D\u{1F468}' },
  { what: 'variation selectors', unit: 'a\uFE0F' },
  { what: 'combining marks', unit: '\u0301' },
  { what: 'halves of pairs', unit: '\uD800' },
  { what: 'emoji', unit: '👩‍👩‍👧' },
  { what: 'flags', unit: '🇩' },
  { what: 'escape sequences', unit: '\u001B[' },
  { what: 'bidirectional controls', unit: '\u202E' },
];

const sha256 = (text: string): string => String(text.length);
const reading = { sha256, isHeard: () => true, ownLabels: [] };
const priorityLabels = new Map();
// As it comes from the wire, where titles and names are cut.
const hostileIssue = (text: string) => {
  const short = cut(text, 1000).text;
  return aFullIssue({
    title: short,
    body: text,
    author: short,
    labels: [short],
    milestone: short,
    comments: [aComment({ body: text, author: short })],
    attachments: [{ name: short, size: 1, url: 'https://git.example.com/attachments/1' }],
    blockers: [{ ref: 'a/b#1', title: short, open: true, url: null }],
  });
};
const wireOf = (text: string) => ({
  id: 1,
  number: 1,
  title: text,
  body: text,
  state: 'open',
  labels: [{ name: text }],
  assignees: [{ login: text }],
  user: { login: 'alice' },
  created_at: iso(NOON),
  updated_at: iso(NOON),
  repository: { full_name: text },
  milestone: { title: text },
  due_date: text,
  assets: [{ name: text, size: 1, uuid: text, browser_download_url: text }],
});

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  cleanText,
  visibleText,
  cleanLine: (text) => cleanLine(text),
  cleanInline: (text) => cleanInline(text),
  cleanLogin,
  cut: (text) => cut(text, 1000),
  quoteBetweenMarkers: (text) => quoteBetweenMarkers(text, 'a', 'b'),
  maskSecrets,
  parseFrontMatter,
  parseLogLine,
  textLine: (message) => textLine({ name: 'WARNING', message }, NOON),
  taskSections,
  bodyOf,
  referencesIn: (text) => referencesIn(text, 'acme/app', 'https://git.example.com'),
  parseTimeline: (text) =>
    parseTimeline(
      [{ type: 'change_title', user: { login: text }, created_at: text, old_title: text, new_title: text }],
      'hans',
      'https://x',
    ),
  acceptanceCriteria: (text) => acceptanceCriteria(cut(text, 60_000).text),
  'ratePriority (label)': (text) => ratePriority([text], '', priorityLabels),
  'ratePriority (title)': (text) => ratePriority([], text, priorityLabels),
  candidateFor: (text) => candidateFor(hostileIssue(text), text, { ...aConfig(), priorityLabels }),
  taskFrontMatter: (text) => {
    const issue = hostileIssue(text);
    return taskFrontMatter(issue, candidateFor(issue, 'hans', { ...aConfig(), priorityLabels }), aDispatch());
  },
  taskData: (text) => {
    const issue = hostileIssue(text);
    return taskData(issue, candidateFor(issue, 'hans', { ...aConfig(), priorityLabels }), aDispatch());
  },
  updateData: (text) =>
    updateData(
      hostileIssue(text),
      aTrackedTask(),
      { changed: ['title', 'body'], comments: [aComment({ body: text })], pulls: [] },
      { ...aDispatch() },
    ),
  newsIn: (text) => newsIn(seenOf(hostileIssue(''), reading), hostileIssue(text), reading),
  parseListed: (text) => parseListed(wireOf(text), 'acme/app'),
  parseFullIssue: (text) =>
    parseFullIssue(
      {
        issue: { ...wireOf(text), repository: null, assignees: [], due_date: null },
        comments: [text],
        blockers: [{ title: text }],
      },
      'acme/app',
      'https://git.example.com',
    ),
};

/** These go through a whole text, or parse 120,000 characters of it; all others cut it first. */
const THOROUGH = new Set('cleanText quoteBetweenMarkers maskSecrets taskSections taskData updateData'.split(' '));

// Of the processor, not of the clock: others may work on the same machine.
const timed = (run: () => unknown): number => {
  const from = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
};
const median = (run: () => unknown): number => [timed(run), timed(run), timed(run)].toSorted((a, b) => a - b)[1] ?? 0;

const textOf = ({ unit, before = '', after = '' }: (typeof HOSTILE)[number], size: number): string =>
  before + unit.repeat(Math.ceil(size / unit.length)) + after;

describe('a megabyte costs at most 50 ms, or little more than replacing each of its characters', () => {
  // On this machine, just now.
  const replacing = median(() => '\r'.repeat(MEGABYTE).replaceAll(/\r\n?/gu, () => '\n'));

  test.for(Object.entries(READERS))('%s', ([name, read]) => {
    const limit = Math.max(50, (THOROUGH.has(name) ? 16 : 2) * replacing);
    for (const hostile of HOSTILE) {
      // Small ones first: one that is slow would take the test its whole life too.
      for (const size of [1000, 20_000, MEGABYTE]) {
        const text = textOf(hostile, size);
        if (timed(() => read(text)) <= limit) continue;
        expect(
          median(() => read(text)),
          `${hostile.what}, ${size} characters`,
        ).toBeLessThan(limit);
      }
    }
  });
});
