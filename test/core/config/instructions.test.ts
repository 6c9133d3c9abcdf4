import { describe, expect, test } from 'vitest';
import { instructionsFor, normaliseInstructions } from '../../../src/core/config/instructions.ts';
import { taskData } from '../../../src/core/task/document.ts';
import { aCandidate, aDispatch, aFullIssue } from '../../support/builders.ts';

const instructions = normaliseInstructions({
  agents: { Hans: 'For hans.' },
  repositories: { 'Acme/*': 'For all of acme.', 'acme/App': 'For the app.' },
  labels: { 'Kind/Security': 'For security.', bug: 'For all of acme.' },
});

describe('standing instructions', () => {
  test.for([
    { agent: 'hans', repository: 'acme/app', labels: [], texts: ['For hans.', 'For all of acme.', 'For the app.'] },
    { agent: 'greta', repository: 'ACME/api', labels: ['kind/security'], texts: ['For all of acme.', 'For security.'] },
    { agent: 'greta', repository: 'acme/api', labels: ['Bug'], texts: ['For all of acme.'] },
    { agent: 'greta', repository: 'other/app', labels: ['x'], texts: [] },
  ])('$agent, $repository, $labels: $texts', ({ agent, repository, labels, texts }) => {
    expect(instructionsFor(instructions, agent, { repository, labels })).toEqual(texts);
  });

  test('are items of a list, unquoted, however many lines they have', () => {
    const data = taskData(aFullIssue(), aCandidate(), aDispatch({ instructions: ['One.\nMore of it.'] }));
    expect(data.instructions).toEqual(['One.\n  More of it.']);
  });
});
