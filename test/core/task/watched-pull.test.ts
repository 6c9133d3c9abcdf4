import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PullRequest } from '../../../src/core/issue/context.ts';
import type { MovedPull, PullFeedback, PullReview } from '../../../src/core/issue/pull-feedback.ts';
import type { Reading } from '../../../src/core/task/news.ts';
import type { WatchedPull } from '../../../src/core/task/tracked.ts';
import {
  hasNewLines,
  isLookDue,
  postponed,
  pullNewsIn,
  watchedPulls,
  withMoved,
} from '../../../src/core/task/watched-pull.ts';
import { aTrackedTask, iso, MINUTE, NOON } from '../../support/builders.ts';

const reading: Reading = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  isHeard: ({ author }) => author !== 'hans',
  ownLabels: [],
};
const aPull = (overrides: Partial<WatchedPull> = {}): WatchedPull => ({
  repository: 'acme/app',
  number: 2,
  isOurs: true,
  isOpen: true,
  from: iso(NOON - 60 * MINUTE),
  updatedAt: iso(NOON - 10 * MINUTE),
  movedAt: null,
  lookAt: null,
  looks: 0,
  othersAt: null,
  said: [],
  failed: [],
  conflict: 'none',
  ...overrides,
});
const feedback = (overrides: Partial<PullFeedback> = {}): PullFeedback => ({
  title: 'Fix',
  author: 'hans',
  isOpen: true,
  url: 'https://git.example.com/acme/app/pulls/2',
  updatedAt: NOON - MINUTE,
  base: 'main',
  head: 'a'.repeat(40),
  isMergeable: true,
  talk: { reviews: [], comments: [] },
  checks: [{ name: 'ci', state: 'passed', description: '', url: null }],
  unread: [],
  ...overrides,
});
const aReview = (overrides: Partial<PullReview> = {}): PullReview => ({
  id: 7,
  author: 'carol',
  at: NOON - 5 * MINUTE,
  state: 'REQUEST_CHANGES',
  body: 'No.',
  url: '',
  count: 0,
  comments: null,
  ...overrides,
});
const found = (number: number, overrides: Partial<PullRequest> = {}): PullRequest => ({
  ref: `acme/app#${number}`,
  number,
  title: 'Fix',
  author: 'bob',
  state: 'open',
  closes: false,
  url: '',
  ...overrides,
});
const facts = { agent: 'hans', from: NOON, lookAt: NOON + MINUTE, isWanted: () => true };
const moved = (overrides: Partial<MovedPull> = {}): MovedPull => ({
  repository: 'acme/app',
  number: 2,
  updatedAt: NOON,
  isOpen: true,
  ...overrides,
});

describe('which ones are watched', () => {
  test("three open ones: those that close the issue and the agent's own first, then the newest", () => {
    const all = [found(1, { closes: true }), found(2), found(3, { author: 'Hans' }), found(4), found(5)];
    expect(watchedPulls([], all, facts).map(({ number, isOurs }) => [number, isOurs])).toEqual([
      [3, true],
      [1, true],
      [5, false],
    ]);
  });

  test('no closed one, and none that is not wanted; what is known of one stays', () => {
    const known = aPull({ number: 4, said: ['r1'], isOurs: false });
    const isWanted = (repository: string, author: string): boolean => repository === 'acme/app' && author !== 'eve';
    const all = [
      found(1, { state: 'merged' }),
      found(2, { state: 'closed' }),
      found(3, { author: 'Eve' }),
      found(9, { ref: 'labs/tool#9' }),
      found(4, { closes: true }),
    ];
    expect(watchedPulls([known], all, { ...facts, isWanted })).toEqual([{ ...known, isOurs: true }]);
    const closed = { ...known, isOpen: false };
    expect(watchedPulls([known], [found(4, { state: 'closed' })], facts)).toEqual([closed]);
    expect(watchedPulls([known], [found(4, { state: 'merged' })], facts)).toEqual([]);
    expect(watchedPulls([closed], [found(4)], facts)).toEqual([{ ...known, lookAt: iso(facts.lookAt) }]);
  });
});

describe('when one is read', () => {
  const after = (pull: WatchedPull, pulls: readonly MovedPull[], isUntold = false): WatchedPull | undefined =>
    withMoved(aTrackedTask({ pulls: [pull] }), pulls, () => isUntold, NOON).pulls[0];

  test('when it moved; once for each time, also when it could not be read', () => {
    const due = after(aPull(), [moved()]);
    expect(due).toMatchObject({ lookAt: iso(NOON), looks: 0, movedAt: iso(NOON) });
    const waits = postponed(due ?? aPull(), NOON);
    expect(waits.lookAt).toBe(iso(NOON + MINUTE));
    expect(after(waits, [moved()])).toBe(waits);
    expect(after(waits, [moved({ updatedAt: NOON + 1000 })])?.lookAt).toBe(iso(NOON));
    expect(postponed({ ...waits, looks: 30 }, NOON).lookAt).toBe(iso(NOON + 30 * MINUTE));
  });

  test.for<[string, MovedPull]>([
    ['what was read already', moved({ updatedAt: NOON - 10 * MINUTE })],
    ['another one that is open', moved({ number: 3 })],
    ['another repository', moved({ repository: 'acme/api' })],
    ['one of another repository that was merged', moved({ repository: 'acme/api', number: 3, isOpen: false })],
    ['one that was merged before', moved({ number: 3, isOpen: false, updatedAt: NOON - 11 * MINUTE })],
  ])('not for %s', ([, each]) => {
    const pull = aPull();
    const task = aTrackedTask({ pulls: [pull] });
    expect(withMoved(task, [each], () => false, NOON)).toBe(task);
  });

  test('a minute after another one went into its repository, once', () => {
    const due = after(aPull(), [moved({ number: 3, isOpen: false })]);
    expect(due).toMatchObject({ lookAt: iso(NOON + MINUTE), othersAt: iso(NOON) });
    expect(after({ ...(due ?? aPull()), lookAt: null }, [moved({ number: 3, isOpen: false })])?.lookAt).toBeNull();
  });

  test('ten minutes after nobody could tell, and that is not put off', () => {
    const due = after(aPull(), [], true);
    expect(due?.lookAt).toBe(iso(NOON + 10 * MINUTE));
    expect(withMoved(aTrackedTask({ pulls: [due ?? aPull()] }), [], () => true, NOON + MINUTE).pulls[0]).toBe(due);
  });

  test('at its time; a time of another clock is no reason to wait for it', () => {
    expect(isLookDue(aPull(), NOON)).toBe(false);
    expect(isLookDue(aPull({ lookAt: iso(NOON + 1) }), NOON)).toBe(false);
    expect(isLookDue(aPull({ lookAt: iso(NOON) }), NOON)).toBe(true);
    expect(isLookDue(aPull({ lookAt: iso(NOON + 24 * 60 * MINUTE) }), NOON)).toBe(true);
  });
});

describe('how often it is looked again', () => {
  const looks = (overrides: Partial<PullFeedback>): readonly number[] => {
    const waits: number[] = [];
    let pull: WatchedPull | null = aPull();
    for (let time = 0; time < 50 && pull; time += 1) {
      ({ pull } = pullNewsIn(pull, feedback(overrides), reading, NOON));
      if (!pull?.lookAt) break;
      waits.push((Date.parse(pull.lookAt) - NOON) / MINUTE);
    }
    return waits;
  };

  test.for<[string, Partial<PullFeedback>, readonly number[]]>([
    ['never when all is known', {}, []],
    ['a few times when no check was announced', { checks: [] }, [1, 2, 4, 8]],
    ['never without a commit', { checks: [], head: null }, []],
    ['once more when it cannot be merged', { isMergeable: false }, [1]],
  ])('%s', ([, overrides, waits]) => {
    expect(looks(overrides)).toEqual(waits);
  });

  test('ever more seldom while a check runs, and not for ever', () => {
    const waits = looks({ checks: [{ name: 'ci', state: 'pending', description: '', url: null }] });
    expect(waits.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(waits).toHaveLength(29);
  });
});

describe('what is news', () => {
  const newsIn = (pull: WatchedPull, overrides: Partial<PullFeedback>) =>
    pullNewsIn(pull, feedback(overrides), reading, NOON);
  const talk = (...reviews: readonly PullReview[]): Partial<PullFeedback> => ({ talk: { reviews, comments: [] } });

  test('nothing of a closed one; it is remembered, and read when it is open again', () => {
    const { news, pull } = newsIn(aPull({ said: ['r1'], lookAt: iso(NOON) }), { isOpen: false, ...talk(aReview()) });
    expect(news).toBeNull();
    expect(pull).toMatchObject({ isOpen: false, said: ['r1'], lookAt: null });
    const after = (overrides: Partial<MovedPull>): WatchedPull | undefined =>
      withMoved(aTrackedTask({ pulls: [pull] }), [moved(overrides)], () => true, NOON).pulls[0];
    expect(after({ isOpen: false })).toEqual(pull);
    expect(after({ number: 3, isOpen: false })).toEqual(pull);
    expect(after({})).toMatchObject({ lookAt: iso(NOON) });
    expect(newsIn(pull, { ...talk(aReview()) }).pull).toMatchObject({ isOpen: true });
  });

  test('a review once; again when its words or its verdict change', () => {
    const first = newsIn(aPull(), talk(aReview()));
    expect(first.news?.reviews).toMatchObject([{ id: 7, isNew: true }]);
    const pull = first.pull ?? aPull();
    expect(newsIn(pull, talk(aReview())).news).toBeNull();
    expect(newsIn(pull, talk(aReview({ state: 'APPROVED' }))).news?.reviews).toHaveLength(1);
    expect(newsIn(pull, talk(aReview({ body: 'Yes.' }))).news?.reviews).toHaveLength(1);
  });

  test('not what was said before the task went out, nor what its agent says, nor a comment without a word', () => {
    const reviews = [
      aReview({ id: 1, at: NOON - 61 * MINUTE }),
      aReview({ id: 2, author: 'hans' }),
      aReview({ id: 3, state: 'COMMENT', body: ' ' }),
    ];
    const result = newsIn(aPull(), talk(...reviews));
    expect(result.news).toBeNull();
    expect(newsIn(result.pull ?? aPull(), talk(...reviews, aReview())).news?.reviews).toMatchObject([{ id: 7 }]);
  });

  test('an approval without a word is one', () => {
    expect(newsIn(aPull(), talk(aReview({ state: 'APPROVED', body: '' }))).news?.reviews).toHaveLength(1);
  });

  test('of a review that is known only its new comments on lines; they are read only when their number changed', () => {
    const line = (id: number, author = 'carol') => ({
      id,
      author,
      at: NOON - 70 * MINUTE,
      body: `word ${id}`,
      path: 'a.ts',
      line: id,
      oldLine: null,
    });
    const known = newsIn(aPull(), talk(aReview({ count: 1, comments: [line(1)] }))).pull ?? aPull();
    expect(hasNewLines(known, aReview({ count: 1 }), reading)).toBe(false);
    expect(hasNewLines(known, aReview({ count: 2 }), reading)).toBe(true);
    const lines = [line(1), line(2), line(3, 'hans')];
    const next = newsIn(known, talk(aReview({ count: 3, comments: lines })));
    expect(next.news?.reviews).toMatchObject([{ isNew: false, comments: [{ id: 2 }] }]);
    // What was known is not forgotten while it is not read.
    const later = newsIn(next.pull ?? aPull(), talk(aReview({ count: 3 }))).pull ?? aPull();
    expect(newsIn(later, talk(aReview({ count: 4, comments: [...lines, line(4)] }))).news?.reviews).toMatchObject([
      { comments: [{ id: 4 }] },
    ]);
  });

  test('one whose lines were left for the next look is read again, whether it moves or not', () => {
    const left = newsIn(aPull(), talk(aReview({ count: 2 }))).pull;
    expect(left).toMatchObject({ updatedAt: aPull().updatedAt, lookAt: iso(NOON + MINUTE) });
    expect(hasNewLines(left ?? aPull(), aReview({ count: 2 }), reading)).toBe(true);
  });

  test('a failed check once for each commit; another one again', () => {
    const failed = (name: string) => ({ name, state: 'failed', description: '', url: null }) as const;
    const first = newsIn(aPull(), { checks: [failed('ci')] });
    expect(first.news?.checks).toHaveLength(1);
    const pull = first.pull ?? aPull();
    expect(newsIn(pull, { checks: [failed('ci')] }).news).toBeNull();
    expect(newsIn(pull, { checks: [failed('ci'), failed('lint')] }).news?.checks).toMatchObject([{ name: 'lint' }]);
    expect(newsIn(pull, { checks: [failed('ci')], head: 'b'.repeat(40) }).news?.checks).toHaveLength(1);
  });

  test('a conflict when it is seen twice; again when it was gone', () => {
    const suspected = newsIn(aPull(), { isMergeable: false });
    expect(suspected.news).toBeNull();
    const told = newsIn(suspected.pull ?? aPull(), { isMergeable: false });
    expect(told.news?.isConflict).toBe(true);
    expect(newsIn(told.pull ?? aPull(), { isMergeable: false }).news).toBeNull();
    expect(newsIn(told.pull ?? aPull(), { isMergeable: null }).pull?.conflict).toBe('none');
  });

  test('what was read within the second in which it moved is looked for once more', () => {
    expect(newsIn(aPull(), { updatedAt: NOON - 500 }).pull?.updatedAt).toBe(iso(NOON - 1500));
    expect(newsIn(aPull(), { updatedAt: NOON - 5000 }).pull?.updatedAt).toBe(iso(NOON - 5000));
  });
});
