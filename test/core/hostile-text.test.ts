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
import { parseFullIssue } from '../../src/io/gitea/wire.ts';
import { parseListed } from '../../src/io/gitea/wire-row.ts';
import { aConfig, aComment, aDispatch, aFullIssue, aTrackedTask, iso, NOON } from '../support/builders.ts';
import { HOSTILE, median, MEGABYTE, textOf, timed } from '../support/hostile-texts.ts';

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

describe('11.18 a megabyte costs at most 50 ms, or little more than replacing each of its characters', () => {
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
