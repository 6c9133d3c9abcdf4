// What lies on the disk: things that do not belong there stand in every place; what is remembered is spoilt; files belong to
// somebody else.

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  linkSync,
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
import { onTestFinished, test } from 'vitest';
import { type Finished, finished, type Workspace } from '../support/command.ts';
import { brokenAfterwards, conclude, office, RATE_MS, sampled, shell, together, unseemly } from './experiment.ts';

// A container may forbid it to root.
const device = join(tmpdir(), `dispatcher-device-${process.pid}`);
const canMakeDevices = spawnSync('mknod', [device, 'c', '1', '7']).status === 0;
rmSync(device, { force: true });
test('hardly any open files', async (context) => {
  const limits = sampled(Array.from({ length: 30 }, (_, index) => index + 14));
  const found = await together(limits, async (limit) => {
    const at = await office();
    const broken = await brokenAfterwards(at, [await finished(shell(at, `ulimit -n ${limit}; exec "$@"`))]);
    return broken.map((what) => `with ${limit} files: ${what}`);
  });
  conclude(context, 'no more open files than this (EMFILE)', limits.length, found);
});

const PLACES = [
  '.agent-dispatcher/lock',
  '.agent-dispatcher.log',
  '.agent-tasks',
  '.agent-tasks/hans',
  '.agent-tasks/hans/issue-1.md',
  '.agent-dispatcher',
  '.agent-dispatcher/state.json',
  '.agent-dispatcher/state.json.tmp',
  '.agent-dispatcher/dispatches.jsonl',
  '.agent-dispatcher/pauses',
];
const THINGS: Readonly<Record<string, (path: string, outside: string) => void>> = {
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdirSync(path),
  'an empty file': (path) => writeFileSync(path, ''),
  'a link to a file': (path, outside) => symlinkSync(join(outside, 'precious'), path),
  'a link to a folder': (path, outside) => symlinkSync(outside, path),
  'a link to nothing': (path, outside) => symlinkSync(join(outside, 'nothing'), path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a hard link': (path, outside) => linkSync(join(outside, 'precious'), path),
  'a device': (path) => execFileSync('mknod', [path, 'c', '1', '7']), // /dev/full
};
// What is written there is appended: that such a name leads to another file cannot be seen. Linux lets nobody make such a
// link to a file that he cannot write himself (fs.protected_hardlinks).
const APPENDED = new Set(['.agent-dispatcher/dispatches.jsonl', '.agent-dispatcher.log']);
// Whoever sets it up may put these folders where he wants.
const MOVABLE = new Set(['.agent-tasks', '.agent-dispatcher', '.agent-dispatcher/pauses']);
const FOLDERS = new Set([...MOVABLE, '.agent-tasks/hans']);
const isMeant = (thing: string, place: string): boolean =>
  (thing === 'a hard link' && APPENDED.has(place)) ||
  (thing === 'a link to a folder' && MOVABLE.has(place)) ||
  (thing === 'a folder' && FOLDERS.has(place)) ||
  (thing === 'an empty file' && !FOLDERS.has(place));

test('something else stands in each place', async (context) => {
  const all = PLACES.flatMap((place) => Object.entries(THINGS).map(([thing, plant]) => ({ place, thing, plant })))
    .filter(({ thing, place }) => !isMeant(thing, place))
    .filter(({ thing }) => canMakeDevices || thing !== 'a device');
  const plants = sampled(all);
  const found = await together(plants, async ({ place, thing, plant }) => {
    const at = await office();
    const outside = mkdtempSync(join(tmpdir(), 'dispatcher-outside-'));
    onTestFinished(() => rmSync(outside, { recursive: true }));
    writeFileSync(join(outside, 'precious'), 'precious');
    const path = join(at.folder, place);
    mkdirSync(dirname(path), { recursive: true });
    plant(path, outside);
    const limited = async (command: string): Promise<Finished> =>
      finished(shell(at, `exec timeout -s KILL 50 ${command}`));
    const hit = await limited('"$@"');
    const status = await limited('"$@" status');
    const broken = [...unseemly(hit), ...unseemly({ ...status, code: status.code === 3 ? 0 : status.code })];
    const names = readdirSync(outside);
    if (names.join() !== 'precious' || readFileSync(join(outside, 'precious'), 'utf8') !== 'precious') {
      broken.push(`I5 something outside was touched: ${names.join(' ')}`);
    }
    rmSync(path, { recursive: true, force: true });
    // A task whose place was not safe is backed off for a minute; who mends it need not wait.
    const number = place.includes('issue-1') ? '2' : '1';
    await at.run(['dispatch', '--issue', number]);
    broken.push(...(await brokenAfterwards(at, [hit, status], { due: [`hans ${number}`] })));
    return broken.map((what) => `${thing} in place of ${place}: ${what}`);
  });
  conclude(context, 'something else in each place', plants.length, found);
});

const STATE = '.agent-dispatcher/state.json';
const SPOILT: Readonly<Record<string, (at: Workspace) => void>> = {
  'the state is gone': (at) => rmSync(join(at.folder, STATE)),
  'the state is cut short': (at) => at.write(STATE, at.read(STATE).slice(0, -7)),
  'the state is empty': (at) => at.write(STATE, ''),
  'the state is null': (at) => at.write(STATE, 'null'),
  'the state is a list': (at) => at.write(STATE, '[{}]'),
  'the state is binary': (at) => writeFileSync(join(at.folder, STATE), randomBytes(4096)),
  'the state is all zeros, as after a power cut': (at) => writeFileSync(join(at.folder, STATE), Buffer.alloc(4096)),
  'the state is 100 MB of spaces': (at) => at.write(STATE, ' '.repeat(100_000_000)),
  'the state is nested deeply': (at) => at.write(STATE, '['.repeat(1_000_000)),
  'the state holds no tasks': (at) => at.write(STATE, JSON.stringify({ ...JSON.parse(at.read(STATE)), tasks: {} })),
  'the state holds wild tasks': (at) =>
    at.write(STATE, JSON.stringify({ ...JSON.parse(at.read(STATE)), tasks: { a: 1 } })),
  'the state has no last dispatch': (at) =>
    at.write(STATE, JSON.stringify({ ...JSON.parse(at.read(STATE)), lastDispatch: 'yes' })),
  'the journal is gone': (at) => rmSync(join(at.folder, '.agent-dispatcher/dispatches.jsonl')),
  'the journal ends in mid-line': (at) => {
    const name = '.agent-dispatcher/dispatches.jsonl';
    at.write(name, `${at.read(name)}{"at":"2026-`);
  },
  'the journal has lines that are none': (at) => {
    const name = '.agent-dispatcher/dispatches.jsonl';
    at.write(name, `null\n[]\n{}\n\u0000\n${at.read(name)}`);
  },
  'everything remembered is gone': (at) => rmSync(join(at.folder, '.agent-dispatcher'), { recursive: true }),
  'the log is gone': (at) => rmSync(join(at.folder, '.agent-dispatcher.log')),
  'an agent emptied its file': (at) => at.write('.agent-tasks/hans/done/issue-1.md', ''),
};

test('what is remembered is spoilt after a dispatch', async (context) => {
  const found = await together(Object.entries(SPOILT), async ([name, spoil]) => {
    const at = await office();
    const first = await at.run([]);
    // Done: nothing but what is remembered, and the file in done/, tells that it was dispatched.
    mkdirSync(join(at.folder, '.agent-tasks/hans/done'));
    renameSync(join(at.folder, '.agent-tasks/hans/issue-1.md'), join(at.folder, '.agent-tasks/hans/done/issue-1.md'));
    const kept = existsSync(join(at.folder, STATE)) ? at.read(STATE) : '';
    const before = Date.now();
    spoil(at);
    const hit = await at.run([]);
    const early = /DISPATCHED/u.test(hit.stdout) && Date.now() - before < RATE_MS / 2;
    const broken = [
      ...unseemly(hit),
      ...(early ? ['I2 dispatched at once'] : []),
      ...(kept === '' ? ['no state'] : []),
    ];
    // The journal that lost its line, and the file that was emptied, cannot agree with the rest any more.
    const lost = /journal is gone|remembered is gone|emptied/u.test(name) ? ['.agent-tasks/hans/done/issue-1.md'] : [];
    broken.push(
      ...(await brokenAfterwards(at, [first, hit], {
        due: lost.length > 0 ? ['hans 2'] : ['hans 1', 'hans 2'],
        allowed: lost,
      })),
    );
    return broken.map((what) => `${name}: ${what}`);
  });
  conclude(context, 'what is remembered is spoilt', Object.keys(SPOILT).length, found);
});

const canBeNobody =
  process.getuid?.() === 0 && spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'true']).status === 0;

test.skipIf(!canBeNobody)('files and folders that belong to somebody else', async (context) => {
  const places = [
    '.',
    '.agent-tasks',
    '.agent-tasks/hans',
    '.agent-dispatcher',
    STATE,
    '.agent-dispatcher/lock',
    '.agent-dispatcher.log',
  ];
  const modes = ['0500', '0000'];
  const cases = places.flatMap((place) => modes.map((mode) => ({ place, mode })));
  const found = await together(cases, async ({ place, mode }) => {
    const at = await office();
    const nobody = (name: string): void => chownSync(join(at.folder, name), 65_534, 65_534);
    for (const name of ['.', 'dispatcher.yaml']) nobody(name);
    const first = await finished(shell(at, 'exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"'));
    const path = join(at.folder, place);
    chownSync(path, 0, 0);
    execFileSync('chmod', [mode, path]);
    const hit = await finished(shell(at, 'exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"'));
    const broken = hit.code === 0 && /DISPATCHED/u.test(hit.stdout) ? [] : unseemly(hit);
    execFileSync('chmod', ['0755', path]);
    nobody(place);
    return [...broken, ...(await brokenAfterwards(at, [first, hit]))].map((what) => `${place} ${mode}: ${what}`);
  });
  conclude(context, "somebody else's files and folders", cases.length, found);
});
