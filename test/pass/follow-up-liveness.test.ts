// What is due for the tasks that are out is done in time, whatever else is due and fails: the archive, news, receipts, what
// blocks a task, and onDispatch. Offices are made up, and the clock jumps.

import { mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import type { Listing } from '../../src/core/listing/listing.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps, GiteaSlice } from '../../src/pass/pass-deps.ts';
import { aFullIssue, MINUTE, NOON } from '../support/builders.ts';
import { simulation } from '../support/pass.ts';

/** How long a pass has for Gitea, as in deps/gitea.ts. */
const BUDGET_MS = 38_000;
const YEAR = 525_600;

/** What may be wrong, for ever, with what is asked for a task. */
const AILMENTS = ['fails', 'silent', 'gone', 'raw'] as const;
type Ailment = (typeof AILMENTS)[number] | null;

interface Task {
  /** What became of its issue. */
  readonly fate: 'closed' | 'news' | 'blocked' | 'nothing';
  readonly ailment: Ailment;
  /** Null: its receipt is there already. */
  readonly receipt: { readonly ailment: Ailment } | null;
  readonly hook: { readonly ailment: Ailment } | null;
}

interface Office {
  readonly tasks: readonly Task[];
  /** Minutes that the clock jumps before each of the first passes. */
  readonly jumps: readonly number[];
}

const outage = (code: string): UserError => new UserError('no answer', { exitCode: 75, code, hint: 'wait' });

/** Throws, or takes its time, as an ailment says. Answers whether there is nothing to answer with. */
function suffer(ailment: Ailment, clock: { now: number }, endsAt: number): boolean {
  clock.now += 20;
  if (ailment === 'silent') clock.now = Math.max(clock.now, endsAt);
  if (ailment === 'silent') throw outage('gitea_timeout');
  if (ailment === 'fails') throw outage('gitea_error');
  if (ailment === 'raw') throw new TypeError('a bug of ours that only this one shows');
  return ailment === 'gone';
}

interface Life {
  /** In which pass each of it was done: `archive 3`, `news 1`. */
  readonly done: ReadonlyMap<string, number>;
}

/** Issues that are dispatched, and then what is due for them all at once. */
async function lived({ tasks, jumps }: Office, passes: number): Promise<Life> {
  const issues = tasks.map((_, index) =>
    aFullIssue({ number: index + 1, id: index + 1, createdAt: NOON - 1_000_000 + index }),
  );
  const onDispatch = { command: ['/bin/wake'], timeoutMs: 5000 };
  const receipt = { reaction: null, label: null, comment: true };
  const at = simulation(() => issues, NOON, { onDispatch, receipt });
  const { deps, clock } = at;
  for (const _ of tasks) {
    clock.now += MINUTE;
    await dispatch(deps);
  }
  const records = new Map(deps.journal.read().map((record) => [record.issueId, record]));
  expect(records).toHaveProperty('size', tasks.length);
  for (const [index, task] of tasks.entries()) befall(task, issues[index], records.get(index + 1)?.file ?? '');
  const { state } = deps.state.read();
  const known = Object.entries(state.tasks ?? {}).map(([key, task]) => {
    const { receipt: wants, hook } = tasks[task.issueId - 1] ?? { receipt: null, hook: null };
    return [
      key,
      { ...task, receipt: wants ? 'due' : 'left', hook: hook ? (records.get(task.issueId) ?? null) : null },
    ] as const;
  });
  deps.state.write({ ...state, turns: {}, tasks: Object.fromEntries(known) as typeof state.tasks });

  const done = new Map<string, number>();
  const seen = new Set<number>();
  for (let pass = 0; pass < passes; pass += 1) {
    clock.now += MINUTE * (1 + (jumps[pass] ?? 0));
    const note = (what: string, number: number | string): void => {
      if (!done.has(`${what} ${number}`)) done.set(`${what} ${number}`, pass);
    };
    await dispatch(troubled(deps, clock, { tasks, issues, seen, note })).catch(() => {});
    for (const { name, facts } of at.events.splice(0)) note(name, String(facts?.['ref']).replace(/^.*#/u, ''));
  }
  return { done };
}

function befall({ fate }: Task, issue: FullIssue | undefined, file: string): void {
  if (!issue) return;
  if (fate === 'closed') Object.assign(issue, { state: 'closed' });
  if (fate === 'news') Object.assign(issue, { updatedAt: NOON + 1000 * MINUTE, body: 'More.' });
  if (fate !== 'blocked') return;
  const blockers = [{ ref: `acme/other#${issue.number}`, title: 'Elsewhere', open: true, url: null }];
  Object.assign(issue, { blockers });
  const folder = join(dirname(file), 'blocked');
  mkdirSync(folder, { recursive: true });
  renameSync(file, join(folder, basename(file)));
}

/** A Gitea and a program that do as the ailments say. */
function troubled(
  deps: DispatchDeps,
  clock: { now: number },
  {
    tasks,
    issues,
    seen,
    note,
  }: {
    readonly tasks: readonly Task[];
    readonly issues: readonly FullIssue[];
    /** Issues that were read. */
    readonly seen: Set<number>;
    readonly note: (what: string, number: number) => void;
  },
): DispatchDeps {
  const endOfPass = clock.now + BUDGET_MS;
  const open = issues.filter(({ state }) => state === 'open');
  const listing: Listing = {
    issues: open,
    find: (ids: ReadonlySet<never>) => open.filter(({ id }) => (ids as ReadonlySet<unknown>).has(id)),
    warnings: [],
    isUnread: () => false,
  } as unknown as Listing;
  const slice = (ms: number): GiteaSlice => {
    const endsAt = Math.min(clock.now + ms, endOfPass);
    const read: GiteaSlice['readIssue'] = async ({ repository, number }) => {
      if (repository === 'acme/other') return aFullIssue({ repository, number, id: 1000 + number, state: 'closed' });
      if (suffer(tasks[number - 1]?.ailment ?? null, clock, endsAt)) return null;
      const issue = issues[number - 1];
      if (!issue) return null;
      const isSeen = seen.has(number);
      seen.add(number);
      // What it waits for is closed once it was looked at.
      return isSeen ? { ...issue, blockers: issue.blockers.map((each) => ({ ...each, open: false })) } : issue;
    };
    return {
      ...deps.gitea(ms),
      readIssue: read,
      peekIssue: read,
      leaveReceipt: async ({ number }) => {
        const isMissing = suffer(tasks[number - 1]?.receipt?.ailment ?? null, clock, endsAt);
        if (isMissing) return { comment: null, missing: 'there is no such label' };
        note('receipt', number);
        return { comment: number, missing: null };
      },
    };
  };
  return {
    ...deps,
    timeLeft: () => endOfPass - clock.now,
    listIssues: async () => listing,
    gitea: slice,
    onDispatch: async ({ issueId }) => {
      const ailment = tasks[issueId - 1]?.hook?.ailment ?? null;
      // It runs beside the pass: what it takes is nobody's time.
      if (ailment !== null) throw new Error('it ended with 1');
      note('hook', issueId);
    },
    tasks: { ...deps.tasks, reopen: () => true },
  };
}

/** What must be done, and within how many passes. */
function due({ tasks, jumps }: Office): ReadonlyMap<string, number> {
  const of = (fate: Task['fate']): number => tasks.filter((task) => task.fate === fate).length;
  const receipts = tasks.filter(({ receipt }) => receipt).length;
  const hooks = tasks.filter(({ hook }) => hook).length;
  // A third of a pass is the longest that one can take.
  const within = Math.ceil((receipts + of('closed') + of('news') + of('blocked')) / 3) + jumps.length;
  const isCrowd = of('closed') >= 6 && of('closed') > tasks.length / 2;
  return new Map(
    tasks.flatMap(({ fate, ailment, receipt, hook }, index): [string, number][] => [
      ...(fate === 'closed' && ailment === null
        ? ([[`ARCHIVED ${index + 1}`, within + (isCrowd ? 10 : 0)]] satisfies [string, number][])
        : []),
      ...(fate === 'news' && ailment === null ? ([[`NEWS ${index + 1}`, within]] satisfies [string, number][]) : []),
      // Read once, and what it waits for asked about five minutes later.
      ...(fate === 'blocked' && ailment === null
        ? ([[`UNBLOCKED ${index + 1}`, 2 * within + 5]] satisfies [string, number][])
        : []),
      ...(receipt?.ailment === null ? ([[`receipt ${index + 1}`, within]] satisfies [string, number][]) : []),
      // Of a task that is archived nobody need be told.
      ...(hook?.ailment === null && fate !== 'closed'
        ? ([[`hook ${index + 1}`, Math.ceil(hooks / 3)]] satisfies [string, number][])
        : []),
    ]),
  );
}

function late(office: Office, { done }: Life): readonly string[] {
  return [...due(office)]
    .filter(([what, within]) => (done.get(what) ?? Number.POSITIVE_INFINITY) >= within)
    .map(([what, within]) => `${what}: ${done.get(what) ?? 'never'}, not before ${within}`);
}

const ailment = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(...AILMENTS) },
);
const errand = fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.record({ ailment }) });
const anOffice: fc.Arbitrary<Office> = fc.record({
  tasks: fc.array(
    fc.record({
      fate: fc.constantFrom<Task['fate']>('closed', 'closed', 'news', 'blocked', 'nothing'),
      ailment,
      receipt: errand,
      hook: errand,
    }),
    { minLength: 1, maxLength: 10 },
  ),
  jumps: fc.array(fc.constantFrom(0, 0, YEAR, -YEAR, 60, -60), { maxLength: 4 }),
});

test('11.6 whatever is due for whichever tasks, and fails: what can be done is done within the passes that the README says', async () => {
  await fc.assert(
    fc.asyncProperty(anOffice, async (office) => {
      expect(late(office, await lived(office, Math.max(0, ...due(office).values()) + 1))).toEqual([]);
    }),
    { numRuns: Number(process.env['DISPATCHER_TEST_RUNS'] ?? 12) },
  );
}, 240_000);

describe('11.7 under a clock that is mended after it was a year ahead', () => {
  const one = (fate: Task['fate']): Task => ({ fate, ailment: null, receipt: null, hook: null });

  test('a crowd that was missing then is archived after its ten minutes', async () => {
    const office = { tasks: Array.from({ length: 8 }, () => one('closed')), jumps: [YEAR, -YEAR] };
    expect(late(office, await lived(office, 30))).toEqual([]);
  });

  test('what blocks a task in another repository is asked about again', async () => {
    const office = { tasks: [one('blocked')], jumps: [YEAR, -YEAR] };
    expect(late(office, await lived(office, 15))).toEqual([]);
  });
});
