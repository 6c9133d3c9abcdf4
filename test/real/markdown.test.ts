// The oracle beside a real server: what Gitea itself makes of each text of the corpus. It runs where one is named:
// DISPATCHER_TEST_GITEA=http://… DISPATCHER_TEST_TOKEN=… npx vitest run --config test/vitest.config.ts test/real

import { describe, expect, test } from 'vitest';
import { visibleMarkdown } from '../../src/core/task/visible/markdown.ts';
import fc from 'fast-check';
import { beside, CHANNELS, SEEN } from '../support/hidden-words.ts';
import { faultsIn } from '../support/oracle.ts';

const URL = process.env['DISPATCHER_TEST_GITEA'] ?? '';
const MARKER = 'k7QdTest';

// As a comment of an issue, which is how bodies are rendered too.
async function rendered(text: string): Promise<string> {
  const response = await fetch(`${URL}/api/v1/markdown`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${process.env['DISPATCHER_TEST_TOKEN'] ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ Text: text, Mode: 'comment', Context: '/acme/app', Wiki: false }),
  });
  expect(response.status).toBe(200);
  return response.text();
}

describe.skipIf(URL === '')('by the page that the server itself renders', () => {
  test.each(Object.entries({ ...CHANNELS, ...SEEN }))('%s', async (_, text) => {
    const html = await rendered(text);
    const shown = visibleMarkdown(text, MARKER, (url) => (/^(?:javascript|data):/u.test(url) ? null : url)).text;
    expect({ ...faultsIn(shown, text, MARKER, html), shown, html }).toEqual({ unseen: [], lost: [], shown, html });
  });

  test('whatever stands beside whatever', async () => {
    await fc.assert(
      fc.asyncProperty(beside(), async (text) => {
        const html = await rendered(text);
        const shown = visibleMarkdown(text, MARKER, (url) => (/^(?:javascript|data):/u.test(url) ? null : url)).text;
        expect({ ...faultsIn(shown, text, MARKER, html), shown, html }).toEqual({ unseen: [], lost: [], shown, html });
      }),
      { numRuns: Number(process.env['DISPATCHER_TEST_TEXTS'] ?? 300) },
    );
  });
});
