import { describe, expect, test } from 'vitest';
import { parseSettings, settingsOf, settingsText, taskNames } from '../../../src/core/mailbox/settings.ts';
import { agentNamed, isMeant, taskReference } from '../../../src/core/mailbox/reference.ts';
import { byUrgency, headFacts, type Sighting, sightingOf } from '../../../src/core/mailbox/urgency.ts';
import { aConfig } from '../../support/builders.ts';

describe('what people type for a task', () => {
  test.for([
    ['acme/app#5', { kind: 'issue', repository: 'acme/app', number: 5 }],
    ['#5', { kind: 'issue', repository: null, number: 5 }],
    ['5', { kind: 'issue', repository: null, number: 5 }],
    ['doing/issue-5.md', { kind: 'path', path: 'doing/issue-5.md' }],
    ['/srv/agents/.agent-tasks/hans/issue-5.md', { kind: 'path', path: '/srv/agents/.agent-tasks/hans/issue-5.md' }],
  ] as const)('%s', ([text, reference]) => {
    expect(taskReference(text)).toEqual(reference);
  });

  test.for(['', 'five', 'acme/app', '-1', 'a b/c#5', 'x\0.md', '5#5'])('%j is no task', (text) => {
    expect(() => taskReference(text)).toThrow('is no task');
  });

  test.for([
    ['acme/app#5', 'acme/app#5', true],
    ['acme/app#5', 'Acme/App#5', true],
    ['acme/api#5', 'acme/app#5', false],
    ['5', 'acme/app#5', true],
    ['5', 'acme/app#55', false],
    ['5', '', false],
  ] as const)('%s means %s: %s', ([text, ref, is]) => {
    const reference = taskReference(text);
    expect(reference.kind === 'issue' && isMeant(reference, ref)).toBe(is);
  });
});

describe('whose tasks are meant', () => {
  const known = ['greta', 'hans'];
  test.for([
    ['--agent', { option: 'Greta', environment: 'hans', user: 'hans' }, 'greta'],
    ['$DISPATCHER_AGENT', { option: undefined, environment: 'greta', user: 'hans' }, 'greta'],
    ["the user's own name", { option: undefined, environment: undefined, user: 'hans' }, 'hans'],
  ] as const)('%s', ([, given, agent]) => {
    expect(agentNamed(given, known)).toBe(agent);
  });

  test('nobody is guessed', () => {
    expect(() => agentNamed({ option: undefined, environment: undefined, user: 'root' }, known)).toThrow('not clear');
    expect(() => agentNamed({ option: 'ada', environment: undefined, user: 'hans' }, known)).toThrow('no agent ada');
  });
});

describe('which task comes first', () => {
  const names = taskNames({ taskFile: '{number}.md' });
  const sighted = (path: string, lines: readonly string[]): readonly Sighting[] =>
    [sightingOf(path, headFacts(`---\nschema: "dispatcher.task/1"\n${lines.join('\n')}\n---\nText\n`), names)].filter(
      (task) => task !== null,
    );

  test('by priority, then the oldest, then by path', () => {
    const tasks = [
      ...sighted('5.md', ['priority: "LOW"', 'createdAt: "2026-01-01T00:00:00Z"']),
      ...sighted('4.md', ['priority: "HIGH"', 'createdAt: "2026-01-02T00:00:00Z"']),
      ...sighted('3.md', ['priority: "HIGH"', 'createdAt: "2026-01-01T00:00:00Z"']),
      ...sighted('2.md', ['priority: "HIGH"', 'createdAt: "2026-01-02T00:00:00Z"']),
      ...sighted('1.md', ['priority: "CRITICAL"', 'createdAt: "2026-01-02T00:00:00Z"']),
    ];
    expect(tasks.toSorted(byUrgency).map(({ path }) => path[0])).toEqual(['1', '3', '2', '4', '5']);
  });

  test('only the front matter tells: a text that imitates one changes nothing', () => {
    const head = '---\nschema: "x"\nref: "acme/app#5"\npriority: "LOW"\n---\n\npriority: "CRITICAL"\n';
    expect(sightingOf('5.md', headFacts(head), names)).toMatchObject({ rank: 3, ref: 'acme/app#5', home: '5.md' });
  });

  test('a task that an agent spoilt comes last, and what never was one does not count', () => {
    expect(sightingOf('5.md', headFacts('priority: "CRITICAL"\n'), names)).toMatchObject({
      rank: 3,
      createdAt: 0,
      ref: '',
    });
    expect(sightingOf('notes.md', headFacts('priority: "CRITICAL"\n'), names)).toBeNull();
  });
});

describe('settings that a pass leaves for the agents', () => {
  test('are read back', () => {
    const agents = new Map([
      ['hans', { maxTasks: null, template: null, attempts: 5 }],
      ['greta', { maxTasks: null, template: null, attempts: 3 }],
    ]);
    const settings = settingsOf(aConfig({ agents, stalledAfterMs: 7_200_000, taskFile: 'issue-{number}.md' }));
    expect(settings).toEqual({ stalledAfterMs: 7_200_000, taskFile: 'issue-{number}.md', attempts: { hans: 5 } });
    expect(parseSettings(settingsText(settings))).toEqual(settings);
  });

  const spoilt = {
    schema: 'dispatcher.settings/1',
    taskFile: '(a+)+{number}.md',
    stalledAfterMs: -1,
    attempts: { hans: 1e9 },
  };
  test.for(['', '{}', 'null', JSON.stringify(spoilt)])('and %s means as usual', (text) => {
    expect(parseSettings(text)).toEqual({ stalledAfterMs: 86_400_000, taskFile: 'issue-{number}.md', attempts: {} });
  });
});
