import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { candidateFor } from '../../src/core/issue/candidate.ts';
import { taskData } from '../../src/core/task/document.ts';
import { loadTemplate } from '../../src/io/tasks/template.ts';
import { aConfig, aDispatch, aFullIssue } from '../support/builders.ts';

const BUILT_IN = fileURLToPath(new URL('../../templates', import.meta.url));
const issue = aFullIssue({ title: 'Fix <T> & "x"', body: 'See {{issue.url}}', labels: ['bug', 'P1'] });
const data = taskData(issue, candidateFor(issue, 'hans', aConfig()), aDispatch());

/** Renders with a template of these files; the first is the template, the others lie beside it. */
function render(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-template-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return loadTemplate(join(folder, Object.keys(files)[0] ?? ''), BUILT_IN)(data);
}

test('the built-in template has every section, in the order that agents can rely on', () => {
  const text = loadTemplate(null, BUILT_IN)(data);
  expect(text.match(/^## .*/gmu)).toEqual([
    '## Your task',
    '## Rules',
    '## Issue',
    '## Acceptance criteria',
    '## Discussion',
    '## Links and attachments',
    '## Blockers',
    '## When done',
  ]);
  expect(text).toMatch(/^# acme\/app#1\n/u);
  expect(text).toMatch(/[^\n]\n$/u);
  expect(text).not.toMatch(/\n{3}/u);
});

test('values are not escaped as HTML, and text from Gitea is never evaluated', () => {
  expect(render({ 'a.hbs': '{{issue.title}}|{{{issue.title}}}\n{{issue.body}}' })).toMatch(
    /^Fix \\<T> & "x"\|Fix \\<T> & "x"\n<!--[^\n]*\n> See \{\{issue\.url\}\}\n/u,
  );
});

test.for<[text: string, shown: string]>([
  ['{{#if (eq priority.name "HIGH")}}yes{{else}}no{{/if}}', 'yes'],
  ['{{#if (ne priority.name "HIGH")}}yes{{else}}no{{/if}}', 'no'],
  ['{{#if (and issue.url (not issue.milestone))}}yes{{else}}no{{/if}}', 'yes'],
  ['{{#if (or issue.milestone (eq agent.name "greta"))}}yes{{else}}no{{/if}}', 'no'],
])('a template compares: %s', ([text, shown]) => {
  expect(render({ 'a.hbs': text })).toBe(`${shown}\n`);
});

test('lists, conditions, the json helper and partials of the user and of the house work', () => {
  expect(
    render({
      'a.hbs':
        '{{#each issue.labels}}[{{this}}]{{/each}} {{#if issue.milestone}}M{{else}}none{{/if}} {{json issue.labels}} {{> mine}} {{> rules}}',
      'partials/mine.md.hbs': 'MINE {{agent.name}}',
      'partials/rules.md.hbs': 'RULES',
    }),
  ).toBe('[bug][P1] none ["bug","P1"] MINE hans RULES\n');
});

// As it was delivered before the task knew more than the issue: someone has copied and changed it.
const OLD_TEMPLATE = `# {{issue.ref}}
Written by dispatcher {{version}} for **{{agent.name}}**, markers named \`{{marker}}\`.
{{priority.name}} {{priority.source}} {{dispatch.at}} {{dispatch.trigger}} {{dispatch.attempt}} {{repository.fullName}}
By {{issue.author}}, {{issue.createdAt}}; last change {{issue.updatedAt}}; {{issue.title}}; {{json issue.labels}}
{{issue.summary}}
{{#if issue.body}}{{issue.body}}{{else}}The issue has no description.{{/if}}
{{#if hidden.any}}HTML comments: {{hidden.comments}}, invisible characters: {{hidden.characters}}.{{/if}}
{{#if issue.acceptanceCriteria}}{{issue.acceptanceCriteria}}{{/if}}
{{#each issue.comments}}
### {{author}}, {{createdAt}}
{{url}}
{{#if body}}{{body}}{{else}}(nothing visible){{/if}}
{{else}}None
{{/each}}
{{#if issue.commentsOmitted}}{{issue.commentsOmitted}} more: {{issue.url}}{{/if}}
{{#if issue.commentsUntrusted}}{{issue.commentsUntrusted}} of {{issue.commentsTotal}} left out{{/if}}
{{#if issue.attachments}}{{issue.attachments}}{{else}}No attachments.{{/if}}
{{#if issue.blockers}}{{issue.blockers}}{{/if}}
{{> rules}}{{> issue}}{{> discussion}}{{> links}}{{> blockers}}{{> done}}
`;

test("a user's old template keeps working", () => {
  expect(render({ 'a.hbs': OLD_TEMPLATE })).toContain('# acme/app#1\nWritten by dispatcher');
});

describe('a mistake names file, line and the nearest known name', () => {
  test.for([
    {
      what: 'a misspelt variable',
      files: { 'a.hbs': 'x\n\n{{issue.titel}}' },
      says: /a\.hbs:3: unknown variable issue\.titel \(did you mean issue\.title\?\)/u,
    },
    {
      what: 'a misspelt group',
      files: { 'a.hbs': '{{isue.title}}' },
      says: /a\.hbs:1: unknown variable isue\.title \(did you mean issue\.title\?\)/u,
    },
    {
      what: 'one in a partial',
      files: { 'a.hbs': '\n{{> p}}', 'partials/p.md.hbs': '\n\n{{agent.nam}}' },
      says: /partials\/p\.md\.hbs:3: unknown variable agent\.nam \(did you mean agent\.name\?\)/u,
    },
    {
      what: 'one in a loop',
      files: { 'a.hbs': '{{#each issue.labels}}{{foo}}{{/each}}' },
      says: /a\.hbs:1: unknown variable foo/u,
    },
    {
      what: 'an unknown helper',
      files: { 'a.hbs': '{{shout issue.title}}' },
      says: /a\.hbs:1: unknown helper shout \(did you mean \w+\? known: if, unless, .*, eq, ne, and, or, not\)/u,
    },
    {
      what: 'a missing partial',
      files: { 'a.hbs': '{{> nowhere}}' },
      says: /a\.hbs:\d+: unknown partial nowhere: expected it as partials\/nowhere\.md\.hbs/u,
    },
    {
      what: 'a partial that includes itself',
      files: { 'a.hbs': '{{> p}}', 'partials/p.md.hbs': '{{> p}}' },
      says: /p\.md\.hbs: this partial includes itself without end/u,
    },
    {
      what: 'an unclosed block',
      files: { 'a.hbs': 'x\n{{#if issue}}\ny' },
      says: /a\.hbs:3: the template cannot be parsed: /u,
    },
    {
      what: 'a block closed by another name',
      files: { 'a.hbs': '{{#if issue}}{{/each}}' },
      says: /a\.hbs:1: the template cannot be parsed: if doesn't match each/u,
    },
    {
      what: 'the prototype of a value',
      files: { 'a.hbs': '{{issue.constructor}}' },
      says: /a\.hbs:1: unknown variable issue\.constructor/u,
    },
    {
      what: 'the console helper',
      files: { 'a.hbs': '{{log issue.title}}' },
      says: /a\.hbs:1: the helper log is not available/u,
    },
  ])('$what', ({ files, says }) => {
    expect(() => render(files)).toThrow(says);
  });

  test('a template that is not there', () => {
    expect(() => loadTemplate('/nowhere/a.hbs', BUILT_IN)).toThrow(
      /^the template \/nowhere\/a\.hbs cannot be read: ENOENT/u,
    );
  });
});
