import { candidateFor } from '../issue/candidate.ts';
import type { FullIssue } from '../issue/issue.ts';
import { taskData, type TaskData } from './document.ts';

/** An issue with everything that one can have, for trying a template before it is needed. */
export function sampleData(): TaskData {
  const issue: FullIssue = {
    id: 1,
    repository: 'acme/app',
    number: 5,
    title: 'A sample issue',
    labels: ['Kind/Bug'],
    assignees: ['hans'],
    createdAt: 0,
    updatedAt: 0,
    state: 'open',
    isPullRequest: false,
    url: 'https://git.example.com/acme/app/issues/5',
    author: 'alice',
    body: 'A text.\n\n- [ ] a criterion',
    milestone: '1.0',
    due: '2026-04-30',
    comments: [
      {
        author: 'bob',
        createdAt: 0,
        url: 'https://git.example.com/acme/app/issues/5#issuecomment-1',
        body: 'A comment.',
      },
    ],
    attachments: [{ name: 'log.txt', size: 12, url: 'https://git.example.com/attachments/1' }],
    blockers: [
      { ref: 'acme/app#4', title: 'Another one', open: true, url: 'https://git.example.com/acme/app/issues/4' },
    ],
  };
  return taskData(issue, candidateFor(issue, 'hans', { priorityLabels: new Map(), url: 'https://git.example.com' }), {
    at: 0,
    trigger: 'timer',
    attempt: 1,
    marker: 'sample',
    serverUrl: 'https://git.example.com',
    version: '0.0.0',
    markdown: (text) => ({ text, unseen: { comments: 1, characters: 1, texts: 1, collapsed: 1 } }),
    isTrusted: () => true,
    sha256: () => '',
    handBack: 'mv -n issue-5.md done/issue-5.md',
  });
}
