// Text that people write, through every sink: what comes out is one line where one is promised, parses back where it is data,
// stays behind its markers where it is quoted, and holds nothing invisible.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { candidateFor } from '../../src/core/issue/candidate.ts';
import { parseFrontMatter } from '../../src/core/task/front-matter.ts';
import { dispatchMessage, jsonLine, parseLogLine, textLine } from '../../src/core/health/log-event.ts';
import { refOf } from '../../src/core/issue/issue.ts';
import { cleanLine } from '../../src/core/task/untrusted.ts';
import { decisionRecord } from '../../src/core/state/decision-record.ts';
import { taskData, taskFrontMatter } from '../../src/core/task/document.ts';
import { loadPages } from '../../src/dashboard/pages.ts';
import { loadTemplate } from '../../src/io/tasks/template.ts';
import { decisionTable } from '../../src/views/decision-table.ts';
import { frontPage } from '../../src/views/pages/front.ts';
import { taskPage } from '../../src/views/pages/task.ts';
import {
  aConfig,
  aDispatch,
  aDispatchRecord,
  aFullIssue,
  aPass,
  aServer,
  aSnapshot,
  NOON,
} from '../support/builders.ts';

const RUNS = Number(process.env['DISPATCHER_TEST_TEXTS'] ?? 25_000);

/** What attacks are made of. */
const CORPUS = [
  '\n',
  '\r\n',
  '\r',
  '\t',
  '\0',
  '\u0007',
  '\u001B[31m',
  '\u001B]8;;http://x\u0007',
  '\u009B31m',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u202E',
  '\u2066',
  '\u200B',
  '\u200D',
  '\uFEFF',
  '\u00AD',
  '\u{E0041}\u{E007F}',
  '\uD800',
  '\uDFFF',
  '\u0301'.repeat(9),
  '---',
  '---\n',
  '...',
  '```',
  '````',
  '~~~',
  '> ',
  '# ',
  '<!--',
  '-->',
  '<!-- END GITEA TEXT k7Qd -->',
  '<!-- BEGIN GITEA TEXT k7Qd: x -->',
  '{{secret}}',
  '{{{x}}}',
  '{{> rules}}',
  '{{#each',
  '\\',
  '"',
  "'",
  ': ',
  '%0A',
  '${x}',
  '$(id)',
  '`id`',
  '../',
  '/etc/passwd',
  'CON',
  'NUL.md',
  '<script>alert(1)</script>',
  '<img src=x onerror=x>',
  '](javascript:x)',
  '[x](/y)',
  '日本語',
  '🧑‍🚀',
  'a'.repeat(300),
  '- [ ] x',
  '## Acceptance criteria',
];
const text = fc
  .array(fc.oneof({ arbitrary: fc.constantFrom(...CORPUS), weight: 3 }, fc.string({ unit: 'binary', maxLength: 12 })), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));
const issue = fc
  .record({
    title: text,
    body: text,
    labels: fc.array(text, { maxLength: 3 }),
    milestone: fc.option(text),
    author: text,
    comments: fc.array(
      fc.record({
        author: text,
        body: text,
        createdAt: fc.constant(NOON),
        url: fc.constant('https://git.example.com/c'),
        editedAt: fc.constant(null),
        attachments: fc.constant([]),
      }),
      { maxLength: 2 },
    ),
  })
  .map((fields) => aFullIssue(fields));

// oxlint-disable-next-line no-control-regex -- what must not come out
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029]/u;
// Joiners and marks of direction are kept where they change how a text reads, and tags in the flags of England, Scotland and Wales.
const INVISIBLE =
  /[\u200B\u202A-\u202E\u2060-\u2069\uFEFF]|(?<=[\p{ASCII}])[\u200C-\u200F](?=[\p{ASCII}])|(?<![\u{1F3F4}\u{E0000}-\u{E007F}])[\u{E0000}-\u{E007F}]/u;

const render = loadTemplate(null, fileURLToPath(new URL('../../templates', import.meta.url)));
const dispatch = aDispatch({ marker: 'k7QdXXXXXXXX', sha256: (raw) => createHash('sha256').update(raw).digest('hex') });

const FRAME = {
  program: 'dispatcher',
  servers: [aServer()] as const,
  now: NOON,
  timeZone: 'UTC',
  version: 'v',
  position: '',
  assets: 'a',
};
const TEMPLATES = fileURLToPath(new URL('../../templates/dashboard/', import.meta.url));
const pages = loadPages((name) => readFileSync(`${TEMPLATES}${name}`, 'utf8'));
const elementsIn = (html: string): readonly string[] =>
  [...html.matchAll(/<([a-z][^\s/>{]*)/giu)].map(([, name = '']) => name);
/** What our own page templates and Markdown are made of. */
const ELEMENTS = new Set([
  ...readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.hbs'))
    .flatMap((name) => elementsIn(readFileSync(`${TEMPLATES}${name}`, 'utf8'))),
  ...'blockquote code del em figcaption figure h1 h2 h3 h4 h5 h6 hr br li ol p pre s strong table tbody td th thead tr ul'.split(
    ' ',
  ),
]);

/** Lines that a text brought out of its quotation, or that end it early. */
function outsideQuotes(body: string): readonly string[] {
  let isQuoted = false;
  const wrong = body.split('\n').filter((line) => {
    if (line.startsWith('<!-- BEGIN GITEA TEXT k7QdXXXXXXXX')) isQuoted = true;
    else if (line === '<!-- END GITEA TEXT k7QdXXXXXXXX -->') isQuoted = false;
    else if (isQuoted) return !line.startsWith('>');
    else return /<script|<img|\{\{|\]\(javascript|\$\(/u.test(line);
    return false;
  });
  return isQuoted ? [...wrong, 'a quotation that does not end'] : wrong;
}

/** What a page holds that a text brought along as markup. */
function active(html: string): readonly string[] {
  const tags = [...html.matchAll(/<([a-z][^\s/>]*)([^>]*)>/giu)].filter(([, name = '', attributes = '']) => {
    const addresses = [...attributes.matchAll(/(?:href|src)="([^"]*)"/gu)].map(([, address = '']) => address);
    return (
      !ELEMENTS.has(name) ||
      (name === 'script' && !attributes.startsWith(' src="/assets/')) ||
      /\son[a-z]+\s*=|style\s*=/iu.test(attributes) ||
      !addresses.every((address) => /^(?:https?:\/\/|\/(?!\/)|[#?]|data:image\/svg)/u.test(address))
    );
  });
  const controls = CONTROL.test(html.replaceAll(/[\t\n]/gu, '')) ? ['control characters'] : [];
  return [...tags.map(([tag]) => tag), ...controls, ...(html === '' ? ['nothing'] : [])];
}

test(`${RUNS} issues through task file, log, terminal, page and JSON`, ({ task }) => {
  let cases = 0;
  let issues = 0;
  fc.assert(
    fc.property(issue, (full) => {
      const candidate = candidateFor(full, 'hans', aConfig());
      // Task file: the front matter reads back the same by YAML and by us, and nothing can leave its quotation.
      const head = taskFrontMatter(full, candidate, dispatch);
      const ours = parseFrontMatter(head);
      const theirs: Record<string, unknown> = parse(head.slice(4, -4));
      for (const key of ['title', 'labels', 'milestone', 'author']) expect(ours?.get(key)).toEqual(theirs[key]);
      const body = render(taskData(full, candidate, dispatch));
      expect(CONTROL.test(body.replaceAll('\t', ''))).toBe(false);
      expect(INVISIBLE.test(body)).toBe(false);
      expect(outsideQuotes(body)).toEqual([]);
      cases += 1;

      // Log: one line of printable text, which reads back; JSON stays JSON.
      const event = {
        name: 'DISPATCHED',
        message: dispatchMessage(candidate, false),
        facts: { title: full.title },
      } as const;
      const line = textLine(event, NOON);
      expect(CONTROL.test(line)).toBe(false);
      expect(INVISIBLE.test(line)).toBe(false);
      expect(parseLogLine(line).name).toBe('DISPATCHED');
      expect(jsonLine(event, NOON)).not.toContain('\n');
      expect(JSON.parse(jsonLine(event, NOON)).event).toBe('dispatched');
      cases += 2;

      // Terminal: as many lines as there are rows.
      const outcome = { kind: 'skipped', reason: 'held', detail: full.body } as const;
      const decision = { rows: [{ candidate, outcome }], chosen: null, next: null, slotOpensAt: NOON };
      const table = decisionTable(
        decisionRecord(decision, () => null),
        NOON,
        100,
      );
      expect(table.every((each) => !each.includes('\n') && !/[\u001B\u009B\u0007]/u.test(each))).toBe(true);
      cases += 1;

      // Pages: slower than all the rest.
      issues += 1;
      if (issues % 25 !== 0) return;
      const file = { agent: 'hans', file: 'issue-1.md', path: '/w/hans/issue-1.md', text: `${head}\n${body}`, cut: 0 };
      expect(active(pages('task', taskPage(file, FRAME)))).toEqual([]);
      const { rows } = decisionRecord(decision, () => null);
      const asked = cleanLine(full.title);
      const sources = {
        snapshot: aSnapshot({ lastPass: aPass({ rows }) }),
        dispatches: [aDispatchRecord({ title: cleanLine(full.title), ref: refOf(full) })],
        log: [parseLogLine(line)],
        filter: { agent: asked, priority: '', logText: asked, logProblems: false },
        issuesUrl: 'https://git.example.com/issues',
      };
      expect(active(pages('page', frontPage(sources, FRAME)))).toEqual([]);
      cases += 2;
    }),
    { numRuns: RUNS },
  );
  task.meta.experiment = { name: 'hostile text through every sink', cases, violations: 0 };
});

test('these checks notice what they look for', () => {
  const quoted = '<!-- BEGIN GITEA TEXT k7QdXXXXXXXX: x -->\n> a\n<!-- END GITEA TEXT k7QdXXXXXXXX -->';
  expect(outsideQuotes(quoted)).toEqual([]);
  expect(outsideQuotes(quoted.replace('> a', '> a\nb'))).toEqual(['b']);
  expect(outsideQuotes(`${quoted}\n<script>`)).toEqual(['<script>']);
  expect(outsideQuotes(quoted.slice(0, -5))).toHaveLength(2);
  const harmful = [
    '<iframe>',
    '<p onclick="x">',
    '<a href="javascript:x">',
    '<script src="//x">',
    '<p style="x">',
    '\u001B',
  ];
  expect(harmful.filter((html) => active(html).length === 0)).toEqual([]);
  expect(active('<p class="a"><a href="https://x">x</a></p>')).toEqual([]);
});
