// Nothing that a reader of the page cannot see reaches an agent unmarked, and nothing is lost that he sees. What decides is the
// oracle; the corpus is the published ways to hide words, times the places where words go.

import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, test } from 'vitest';
import { candidateFor } from '../../../src/core/issue/candidate.ts';
import { taskData } from '../../../src/core/task/document.ts';
import { updateData } from '../../../src/core/task/update.ts';
import { visibleMarkdown } from '../../../src/core/task/visible/markdown.ts';
import { aConfig, aComment, aDispatch, aFullIssue, aTrackedTask } from '../../support/builders.ts';
import { beside, CHANNELS, SEEN } from '../../support/hidden-words.ts';
import { faultsIn } from '../../support/oracle.ts';

const TEXTS = process.env['DISPATCHER_TEST_TEXTS'];
const MARKER = 'k7QdTest';
const markdownOf = (block: string | null): string =>
  (block ?? '')
    .split('\n')
    .filter((line) => line.startsWith('>'))
    .map((line) => line.replace(/^> ?/u, ''))
    .join('\n');
const facts = aDispatch({ marker: MARKER });
const task = (overrides: Parameters<typeof aFullIssue>[0]) => {
  const issue = aFullIssue(overrides);
  return taskData(issue, candidateFor(issue, 'hans', aConfig()), facts).issue;
};
const news = (overrides: Parameters<typeof aFullIssue>[0], changed: readonly string[]) => {
  const issue = aFullIssue(overrides);
  return updateData(issue, aTrackedTask(), { changed, comments: issue.comments, pulls: [] }, facts).issue;
};

const review = (body: string) => {
  const said = { author: 'carol', at: 0, body };
  const line = { ...said, id: 1, path: 'a.ts', line: 1, oldLine: null };
  const shown = { ...said, id: 2, state: 'COMMENT', url: 'https://x.org', count: 1, isNew: true, comments: [line] };
  const pull = {
    title: 'Fix',
    author: 'hans',
    isOpen: true,
    url: 'https://git.example.com/acme/app/pulls/2',
    updatedAt: 0,
    base: null,
    head: null,
    isMergeable: null,
    talk: null,
    checks: [],
    unread: [],
  };
  const found = {
    ref: 'acme/app#2',
    isOurs: true,
    pull,
    reviews: [shown],
    comments: [],
    checks: [],
    isConflict: false,
  };
  const told = updateData(aFullIssue(), aTrackedTask(), { changed: ['review'], comments: [], pulls: [found] }, facts);
  const [first] = told.pullRequests[0]?.reviews ?? [];
  if (!first) throw new Error('the review is not told');
  return first;
};

/** Where words go: what is written, and what comes out of it. */
const SINKS: Readonly<Record<string, (text: string) => readonly [written: string, shown: string]>> = {
  'the body': (body) => [body, markdownOf(task({ body }).body)],
  'the body, in a list': (text) => {
    const body = `1. first\n2. ${text.replaceAll('\n', '\n   ')}\n`;
    return [body, markdownOf(task({ body }).body)];
  },
  'the body, in a quote': (text) => {
    const body = `before\n\n> ${text.replaceAll('\n', '\n> ')}\n\nbehind`;
    return [body, markdownOf(task({ body }).body)];
  },
  'the acceptance criteria': (text) => [
    text,
    markdownOf(task({ body: `# Acceptance criteria\n\n${text}` }).acceptanceCriteria),
  ],
  'a comment': (body) => [body, markdownOf(task({ comments: [aComment({ body })] }).comments[0]?.body ?? null)],
  'the body as news': (body) => [body, markdownOf(news({ body }, ['body']).body)],
  'a comment as news': (body) => [
    body,
    markdownOf(news({ comments: [aComment({ body })] }, ['comments']).comments[0]?.body ?? null),
  ],
  'a review as news': (body) => [body, markdownOf(review(body).body)],
  'a comment on a line as news': (body) => [body, markdownOf(review(body).comments[0]?.body ?? null)],
};

describe.each(Object.entries(SINKS))('in %s', (_, sink) => {
  test.each(Object.entries({ ...CHANNELS, ...SEEN }))('%s', (_, text) => {
    const [written, shown] = sink(text);
    expect({ ...faultsIn(shown, written, MARKER), shown }).toEqual({ unseen: [], lost: [], shown });
  });
});

test('the corpus has at least 200 texts', () => {
  expect(Object.keys(CHANNELS).length * Object.keys(SINKS).length).toBeGreaterThan(200);
});

test.each(Object.entries(SEEN))('%s: stays as it was written', (_, text) => {
  expect(visibleMarkdown(text, MARKER, (url) => url)).toEqual({
    text,
    unseen: { comments: 0, characters: 0, texts: 0, collapsed: 0 },
  });
});

test('12.16 whatever stands beside whatever: nothing unseen is unmarked, nothing seen is lost', () => {
  fc.assert(
    fc.property(beside(), (raw) => {
      const shown = visibleMarkdown(raw, MARKER, (url) => (/^(?:javascript|data):/u.test(url) ? null : url)).text;
      expect({ ...faultsIn(shown, raw, MARKER), shown }).toEqual({ unseen: [], lost: [], shown });
    }),
    // Others each time when it is asked for more.
    TEXTS === undefined ? { numRuns: 1500, seed: 16 } : { numRuns: Number(TEXTS) },
  );
});

test('what is shown is shown again as it is', () => {
  for (const text of Object.values(CHANNELS)) {
    const once = visibleMarkdown(text, MARKER, (url) => url).text;
    expect(visibleMarkdown(once, MARKER, (url) => url).text).toBe(once);
  }
});

test.for([
  '[Issue]: http://evil.example',
  'a [x] [Issue]: http://evil.example\n[Issue]: http://evil.example',
  '[Is\nsue]: http://evil.example',
  '[Issue\n]: http://evil.example',
  '[\nIssue]: http://evil.example',
  '[Is\\] sue]: http://evil.example',
  '[Issue\\\\]: http://evil.example',
  '> [Is\n> sue]: http://evil.example',
  '- [Issue]:\n  http://evil.example',
])('12.16 behind broken HTML %j defines nothing for the rest of a document', (text) => {
  for (const head of ['<div\n\nb\n\n', 'a <b c="\n\nx\n\n', '']) {
    const shown = visibleMarkdown(`${head}${text}\n`, MARKER, (url) => url).text;
    const quoted = shown.split('\n').map((line) => `> ${line}`);
    const seen: { references?: Record<string, never> } = {};
    new MarkdownIt({ html: true }).parse(quoted.join('\n'), seen);
    expect({ shown, references: Object.keys(seen.references ?? {}) }).toEqual({ shown, references: [] });
  }
});
