// The tasks of a mailbox, found by their files or by the index beside them: both ways say the same.

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseIndex } from '../../src/core/mailbox/head-index.ts';
import { taskNames } from '../../src/core/mailbox/settings.ts';
import { byUrgency } from '../../src/core/mailbox/urgency.ts';
import { NO_WORK } from '../../src/core/mailbox/work-record.ts';
import { openTaskFolder } from '../../src/io/tasks/folder.ts';
import { type Mailbox, openMailbox } from '../../src/io/tasks/mailbox.ts';
import { addTask } from '../support/mailbox.ts';
import { aCandidate, aConfig } from '../support/builders.ts';

const MANY = 600;
const plainNames = taskNames({ taskFile: 'issue-{number}.md' });
const deepNames = taskNames({ taskFile: '{owner}/{repo}/issue-{number}.md' });
const PRIORITIES = ['NORMAL', 'LOW', 'HIGH', 'NORMAL', 'NORMAL'];

interface Box {
  readonly mailbox: Mailbox;
  readonly home: string;
  readonly folder: string;
  /** The paths of the tasks in a stage, most urgent first. */
  readonly order: (...stages: Parameters<Mailbox['look']>[0]) => readonly string[];
  /** The paths of the new tasks as they are offered. */
  readonly offered: () => readonly string[];
  readonly index: string;
}

function box(count = MANY, names = plainNames): Box {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-sightings-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (let issue = 1; issue <= count; issue += 1)
    addTask({ folder }, `hans/issue-${issue}.md`, { priority: PRIORITIES[issue % PRIORITIES.length] });
  const mailbox = openMailbox(join(folder, '.agent-tasks'), 'hans', names);
  const home = join(folder, '.agent-tasks/hans');
  const order: Box['order'] = (...stages) =>
    mailbox
      .look(stages)
      .tasks.toSorted(byUrgency)
      .map(({ path }) => path);
  const offered: Box['offered'] = () => {
    const paths: string[] = [];
    mailbox.offer(['new'], ({ path }) => {
      paths.push(path);
      return null;
    });
    return paths;
  };
  return { folder, mailbox, home, order, offered, index: join(home, '.index') };
}

/** The same without an index. */
function truth({ home, folder }: Box, names = plainNames): readonly string[] {
  const index = join(home, '.index');
  const kept = existsSync(index) ? readFileSync(index) : null;
  rmSync(index, { force: true, recursive: true });
  const order = openMailbox(join(folder, '.agent-tasks'), 'hans', names)
    .look(['new'])
    .tasks.toSorted(byUrgency)
    .map(({ path }) => path);
  if (kept === null) rmSync(index, { force: true });
  else writeFileSync(index, kept);
  return order;
}

const rewritten = (at: Box, issue: number, priority: string): void => {
  rmSync(join(at.home, `issue-${issue}.md`));
  addTask(at, `hans/issue-${issue}.md`, { priority });
};

describe('with many tasks', () => {
  test('an index is kept, and says what the files say, whatever comes, goes and moves', () => {
    const at = box();
    expect(at.order('new')).toEqual(truth(at));
    expect(existsSync(at.index)).toBe(true);
    addTask(at, 'hans/issue-9001.md', { priority: 'CRITICAL' });
    expect(at.order('new')[0]).toBe('issue-9001.md');
    rmSync(join(at.home, 'issue-9001.md'));
    renameSync(join(at.home, 'issue-2.md'), join(at.home, 'issue-9002.md'));
    mkdirSync(join(at.home, 'doing'));
    renameSync(join(at.home, 'issue-7.md'), join(at.home, 'doing/issue-7.md'));
    expect(at.order('new')).toEqual(truth(at));
    expect(at.order('doing')).toEqual(['doing/issue-7.md']);
    expect(at.order('new', 'doing')).toHaveLength(MANY);
  });

  test('the most urgent one is what its file says now: edited, it loses its place at once', () => {
    const at = box();
    const [first = ''] = at.order('new');
    rewritten(at, Number(/\d+/u.exec(first)?.[0]), 'LOW');
    expect(at.order('new')).toEqual(truth(at));
  });

  test('what was edited to be more urgent shows after some looks, and from then on', () => {
    const at = box();
    at.order('new');
    rewritten(at, 301, 'CRITICAL');
    let looks = 0;
    while (at.order('new')[0] !== 'issue-301.md' && looks < 17) looks += 1;
    expect(looks).toBeLessThan(17);
    // Once seen it is not forgotten.
    for (let more = 0; more < 18; more += 1) expect(at.order('new')[0]).toBe('issue-301.md');
  });

  test('a task that is dispatched anew under its old name is what it is now, at once', () => {
    const at = box();
    at.order('new');
    const config = aConfig({ tasksDirectory: join(at.folder, '.agent-tasks') });
    const candidate = aCandidate({ number: 301 });
    rmSync(join(at.home, 'issue-301.md'));
    addTask({ folder: join(at.folder, 'draft') }, 'hans/issue-301.md', { priority: 'CRITICAL' });
    const text = readFileSync(join(at.folder, 'draft/.agent-tasks/hans/issue-301.md'), 'utf8');
    openTaskFolder(config, () => 'random')
      .draft({ ...candidate, agent: 'hans' }, text)
      .publish(false);
    expect(at.order('new')[0]).toBe('issue-301.md');
  });

  test('what belongs to a task goes along when it is taken, and when it is handed back', () => {
    const at = box();
    writeFileSync(join(at.home, 'issue-2.update-1.md'), 'News');
    const task = at.mailbox.look(['new']).tasks.find(({ path }) => path === 'issue-2.md');
    const machine = { host: 'h', bootId: 'b', pidNamespace: 'p' };
    const claim = { at: '2026-01-01T00:00:00Z', user: 'hans', machine, holder: null, group: null };
    if (task) at.mailbox.take(task, claim, 'word');
    expect(readdirSync(join(at.home, 'doing')).toSorted()).toEqual([
      '.issue-2.md.taken-word',
      'issue-2.md',
      'issue-2.update-1.md',
    ]);
    const taken = at.mailbox.whereIs('issue-2.md');
    if (taken) at.mailbox.handBack(taken, 'new', NO_WORK, 'word');
    expect(existsSync(join(at.home, 'issue-2.update-1.md'))).toBe(true);
    expect(at.order('new')).toEqual(truth(at));
  });

  const SPOILT: Readonly<Record<string, (at: Box) => void>> = {
    'nothing in it': (at) => writeFileSync(at.index, ''),
    'cut off': (at) => writeFileSync(at.index, readFileSync(at.index, 'utf8').slice(0, 5000)),
    'of another kind': (at) => writeFileSync(at.index, '{"schema":"dispatcher.index/2"}'),
    'rows of nonsense': (at) =>
      writeFileSync(
        at.index,
        `dispatcher.index/2\n\n./\n\n${['issue-1.md', 'issue-2.md', '__proto__', '../greta/issue-1.md', '.', 'a\0b.md'].join('\n')}\n\n${['x', 'x\t1\tNaN\t1\t#', ...Array.from({ length: 4 }, () => 'x\t1\t0\t0\ta/b#1')].join('\n')}\n\n`,
      ),
    'each name twice': (at) => {
      const [head, folder, names = '', rows = ''] = readFileSync(at.index, 'utf8').split('\n\n');
      const twice = [head, folder, `${names}\n${names}`, `${rows}\n${rows}`];
      writeFileSync(at.index, `${twice.join('\n\n')}\n\n`);
    },
    'of folders that are not there, or lie elsewhere': (at) =>
      writeFileSync(at.index, readFileSync(at.index, 'utf8').replace('./', './../greta/')),
    'a link': (at) => {
      renameSync(at.index, join(at.folder, 'elsewhere'));
      symlinkSync(join(at.folder, 'elsewhere'), at.index);
    },
    'a pipe': (at) => {
      rmSync(at.index);
      execFileSync('mkfifo', [at.index]);
    },
    'a folder': (at) => {
      rmSync(at.index);
      mkdirSync(at.index);
    },
  };

  test.for(Object.entries(SPOILT))('an index that is spoilt (%s): the files tell', ([, spoil]) => {
    const at = box();
    at.order('new');
    const right = truth(at);
    spoil(at);
    expect(at.order('new')).toEqual(right);
    expect(at.order('new')).toEqual(right);
  });

  test('an index that lies about the most urgent ones is not believed', () => {
    const at = box();
    at.order('new');
    const lies = readFileSync(at.index, 'utf8').replaceAll(/^[^\t\n]*\t1\t\d/gmu, 'lie\t1\t0');
    expect(lies).toContain('\nlie\t1\t0');
    writeFileSync(at.index, lies);
    expect(at.offered()).toEqual(truth(at));
    // It was wrong too often to be kept.
    expect(existsSync(at.index)).toBe(false);
    writeFileSync(at.index, lies);
    expect(at.order('new')).toEqual(truth(at));
  });

  test('it is thrown away with the tasks', () => {
    const at = box();
    at.order('new');
    for (let issue = 1; issue <= MANY - 100; issue += 1) rmSync(join(at.home, `issue-${issue}.md`));
    at.order('new');
    expect(existsSync(at.index)).toBe(false);
  });

  test('it is written anew when most of it is gone, with what it says of folders that are not looked through', () => {
    const at = box(1300);
    mkdirSync(join(at.home, 'doing'));
    for (let issue = 1; issue <= 100; issue += 1)
      renameSync(join(at.home, `issue-${issue}.md`), join(at.home, `doing/issue-${issue}.md`));
    at.order('new', 'doing');
    for (let issue = 101; issue <= 800; issue += 1) rmSync(join(at.home, `issue-${issue}.md`));
    at.order('new');
    const index = parseIndex(readFileSync(at.index, 'utf8'));
    expect(index.get('')?.names).toHaveLength(500);
    expect(index.get('doing/')?.names).toHaveLength(100);
  });
});

// What may become of a task file while nobody looks. That it became more urgent where it lies shows after some looks only.
const BECOMES: Readonly<Record<string, (at: Box, path: string, number: number) => void>> = {
  gone: (at, path) => rmSync(join(at.home, path)),
  taken: (at, path) => moved(at, path, `doing/${path}`),
  parked: (at, path) => moved(at, path, `mine/${path}`),
  'under another number': (at, path, number) => moved(at, path, path.replace(/\d+\.md$/u, `${10_000 + number}.md`)),
  'less urgent': (at, path) => {
    const text = readFileSync(join(at.home, path), 'utf8');
    writeFileSync(join(at.home, path), text.replace(/^priority: .*$/mu, 'priority: "LOW"'));
  },
  'no file': (at, path) => {
    rmSync(join(at.home, path));
    mkdirSync(join(at.home, path));
  },
  'in company': (at, path) => writeFileSync(join(at.home, path.replace('.md', '.update-1.md')), 'News'),
};

const moved = (at: Box, path: string, target: string): void => {
  mkdirSync(dirname(join(at.home, target)), { recursive: true });
  renameSync(join(at.home, path), join(at.home, target));
};

test('whatever becomes of them, tasks are offered in the order that their files tell', () => {
  const at = box(0, deepNames);
  const folders = ['acme/app', 'acme/web', 'beta/one', ''];
  for (let issue = 1; issue <= 720; issue += 1)
    addTask(at, `hans/${folders[issue % 4]}/issue-${issue}.md`.replace('//', '/'), {
      priority: PRIORITIES[issue % PRIORITIES.length],
      createdAt: new Date((issue % 50) * 1000).toISOString(), // many are equals
      ref: `${folders[issue % 4] || 'acme/app'}#${issue}`,
    });
  expect(at.offered()).toEqual(truth(at, deepNames));
  expect(at.offered()).toHaveLength(540);
  expect([...parseIndex(readFileSync(at.index, 'utf8')).keys()].toSorted()).toEqual(
    ['', 'acme/app/', 'acme/web/', 'beta/one/'].toSorted(),
  );
  const some = fc.record({ what: fc.constantFrom(...Object.keys(BECOMES)), which: fc.nat({ max: 2000 }) });
  let added = 20_000;
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 3 }), (changes, fresh) => {
      for (const { what, which } of changes) {
        const left = at.offered();
        const path = left[which % left.length];
        if (path !== undefined) BECOMES[what]?.(at, path, (added += 1));
      }
      for (let each = 0; each < fresh; each += 1)
        addTask(at, `hans/acme/app/issue-${(added += 1)}.md`, { priority: PRIORITIES[added % PRIORITIES.length] });
      expect(at.offered()).toEqual(truth(at, deepNames));
    }),
    { numRuns: 12 },
  );
});

test('with few tasks no index is kept', () => {
  const at = box(40);
  expect(at.order('new')).toHaveLength(40);
  expect(existsSync(at.index)).toBe(false);
});
