import { candidateFor } from '../issue/candidate.ts';
import type { Server } from '../config/servers.ts';
import type { IssueContext } from '../issue/context.ts';
import type { FullIssue } from '../issue/issue.ts';
import { taskData, type TaskData } from './document.ts';

const SAMPLE_SERVER: Server = {
  name: null,
  url: 'https://git.example.com',
  formerUrls: [],
  repositories: [],
  tokenFile: null,
  caFile: null,
};

const SAMPLE_CONTEXT: IssueContext = {
  assignment: { by: 'carol', at: 0 },
  titleChanges: [{ by: 'carol', at: 0, from: 'A', to: 'B' }],
  pullRequests: [
    {
      ref: 'acme/app#9',
      number: 9,
      title: 'A change',
      author: 'hans',
      state: 'open',
      closes: true,
      url: 'https://git.example.com/acme/app/pulls/9',
    },
  ],
  commits: ['0123456789012345678901234567890123456789'],
  defaultBranch: 'main',
  references: [
    {
      ref: 'acme/app#3',
      title: 'An earlier one',
      state: 'closed',
      author: 'bob',
      createdAt: 0,
      body: 'Its text.',
      url: 'https://git.example.com/acme/app/issues/3',
    },
  ],
  waiting: [{ ref: 'acme/app#8', title: 'A later one', url: 'https://git.example.com/acme/app/issues/8' }],
  review: { author: 'carol', at: 0, state: 'REQUEST_CHANGES', body: 'Not yet.' },
  unread: ['the default branch: no answer'],
};

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
    branch: 'next',
    body: '# Steps to reproduce\n1. One\n# Validation\nRun it.\n# Test plan\nLook.\n# Details\nA text.\n\n- [ ] a criterion',
    milestone: '1.0',
    due: '2026-04-30',
    comments: [
      {
        author: 'bob',
        createdAt: 0,
        url: 'https://git.example.com/acme/app/issues/5#issuecomment-1',
        body: 'A comment.',
        editedAt: 1,
        attachments: [{ name: 'shot.png', size: 3, url: 'https://git.example.com/attachments/2' }],
      },
    ],
    attachments: [{ name: 'log.txt', size: 12, url: 'https://git.example.com/attachments/1' }],
    blockers: [
      { ref: 'acme/app#4', title: 'Another one', open: true, url: 'https://git.example.com/acme/app/issues/4' },
    ],
  };
  return taskData(issue, candidateFor(issue, 'hans', { priorityLabels: new Map(), servers: [SAMPLE_SERVER] }), {
    at: 0,
    trigger: 'timer',
    attempt: 1,
    marker: 'sample',
    serverUrl: 'https://git.example.com',
    version: '0.0.0',
    markdown: (text) => ({ text, unseen: { comments: 1, characters: 1, texts: 1, collapsed: 1 } }),
    isTrusted: () => true,
    instructions: ['Use the test database.'],
    lastEnd: 'its task file was deleted',
    context: SAMPLE_CONTEXT,
    sha256: () => '',
    handBack: 'mv -n issue-5.md done/issue-5.md',
  });
}
