import { describe, expect, test } from 'vitest';
import { reconcile, type StoredTask } from '../../../src/core/store/reconcile.ts';
import type { Holding } from '../../../src/core/store/store.ts';

const holding = (overrides: Partial<Holding> = {}): Holding => ({
  key: 'git#1:hans',
  server: 'git',
  issueId: 1,
  repository: 'acme/app',
  number: 1,
  agent: 'hans',
  stage: 'new',
  lease: { attempt: 3 },
  dispatches: 1,
  file: '/w/hans/issue-1.md',
  ...overrides,
});
const stored = (overrides: Partial<StoredTask> = {}): StoredTask => ({
  key: 'git#1:hans',
  state: 'held',
  host: 'me',
  attempt: 3,
  stage: 'new',
  ...overrides,
});

describe('a machine that comes back', () => {
  test.for<[what: string, holding: Holding | null, stored: StoredTask | null, follows: object]>([
    ['has what it has', holding(), stored(), {}],
    ['has gone on with it', holding({ stage: 'done' }), stored(), { moved: ['git#1:hans'] }],
    ['has lost it to another', holding(), stored({ host: 'other', attempt: 5 }), { lost: 'other has it now' }],
    [
      'has lost it to another, although its agent finished it',
      holding({ stage: 'done' }),
      stored({ host: 'other', attempt: 5 }),
      { lost: 'other has it now' },
    ],
    [
      'has lost it to nobody yet',
      holding(),
      stored({ state: 'free', host: null, attempt: 4, stage: null }),
      { lost: 'it is to be dispatched again' },
    ],
    [
      'has lost it, and it is offered',
      holding(),
      stored({ state: 'offered', host: null, attempt: 4, stage: null }),
      { lost: 'it is to be dispatched again' },
    ],
    [
      'lost it, and got it once more under an attempt that it does not know',
      holding(),
      stored({ attempt: 7 }),
      { lost: 'me has it now' },
    ],
    ['is known to a store that forgot it', holding(), null, { adopted: 3 }],
    ['is ahead of a store that was restored', holding(), stored({ attempt: 1 }), { adopted: 3 }],
    [
      'is ahead of a store in which nobody has it',
      holding(),
      stored({ state: 'free', host: null, attempt: 2, stage: null }),
      { adopted: 3 },
    ],
    ['brings what it had before there was a store', holding({ lease: null }), null, { adopted: 1 }],
    ['lost its own memory of it', holding({ lease: null }), stored(), { adopted: 3 }],
    [
      'brings what another has already',
      holding({ lease: null }),
      stored({ host: 'other' }),
      { lost: 'other has it now' },
    ],
    ['has no more what the store thinks', null, stored(), { ended: ['git#1:hans'] }],
    ['is not asked for what others have', null, stored({ host: 'other' }), {}],
  ])('%s', ([, own, row, follows]) => {
    const { moved, adopted, lost, ended } = reconcile('me', own ? [own] : [], row ? [row] : []);
    expect({
      ...(moved.length > 0 ? { moved: moved.map(({ key }) => key) } : {}),
      ...(adopted.length > 0 ? { adopted: adopted[0]?.lease.attempt } : {}),
      ...(lost.size > 0 ? { lost: lost.get('git#1:hans') } : {}),
      ...(ended.length > 0 ? { ended: ended.map(({ key }) => key) } : {}),
    }).toEqual(follows);
  });
});
