// A disk that fails: at each call that writes, and at each that reads, once or from then on, in the ways in which disks fail.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Workspace } from '../support/command.ts';
import { brokenAfterwards, conclude, office, sampled, together, unseemly } from './experiment.ts';
import { aimedAt, lookedAt, placeIn, type Point, pointsOf, traced } from './trace.ts';

const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;
const WRITES = 'mkdir,write,pwrite64,ftruncate,fsync,link,rename,unlink';
const READS = 'openat,read,pread64,getdents64,statx,newfstatat,access';

interface Series {
  /** What is done to the disk, for people. */
  readonly fault: string;
  /** The kinds of calls that are traced. */
  readonly kinds: string;
  readonly arrange?: (at: Workspace) => Promise<unknown>;
  /** Those of our calls that are tried. */
  readonly among: (points: readonly Point[]) => readonly Point[];
  /** What strace is to be told for one of them. */
  readonly told: (at: Workspace, point: Point, ours: readonly Point[]) => readonly string[];
}

/** Does something at each of our calls; answers how many were hit, how many there are, and what is broken. */
async function tried({ fault, kinds, arrange, among, told }: Series): Promise<{
  readonly points: readonly Point[];
  readonly hits: number;
  readonly found: readonly string[];
}> {
  const whole = await office();
  await arrange?.(whole);
  const { calls } = await traced(whole, [], kinds);
  // Not those that Node makes for itself, to wake its own threads.
  const ours = pointsOf(whole, calls).filter(({ deed }) => deed !== null);
  const points = lookedAt(among(ours));
  let hits = 0;
  const found = await together(points, async (point) => {
    const at = await office();
    await arrange?.(at);
    const hit = await traced(at, [], kinds, told(at, point, ours));
    // Node does not make quite the same calls each time.
    const call = hit.injected?.replaceAll(/AT_FDCWD<[^>]*>/gu, '') ?? '';
    if (!/\/dispatcher-test-|"\/proc\/self\/fd\//u.test(call)) return [];
    hits += 1;
    const broken = [...(await brokenAfterwards(at, [hit], { allowed: ['trace'] })), ...unseemly(hit)];
    return broken.map((what) => `${fault} at ${point.deed} (${call.slice(0, 120)}): ${what}`);
  });
  return { points, hits, found };
}

const READ_ERRORS = ['EIO', 'EACCES'];
const ERRORS = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT', 'EACCES'];

describe.skipIf(!canTrace)('every call that writes', () => {
  test.for(ERRORS)('fails with %s', async (error, context) => {
    const { points, hits, found } = await tried({
      fault: error,
      kinds: WRITES,
      among: (ours) => sampled(ours, ERRORS.indexOf(error)),
      told: (at, point) => aimedAt(at, point, `error=${error}`),
    });
    conclude(context, `a disk that fails at every call that writes: ${error}`, hits, found);
    expect(points.length).toBeGreaterThan(15 / EVERY);
    expect(hits).toBeGreaterThanOrEqual(points.length * 0.9 - 1);
  });

  // The draft of a task has another name in each run, which strace cannot be told: its folder and its link fail.
  test.for(['ENOSPC', 'EIO', 'EROFS'])('fails with %s from then on', async (error, context) => {
    const { points, hits, found } = await tried({
      fault: `${error} from then on`,
      kinds: WRITES,
      among: (ours) => sampled(named(ours), ERRORS.indexOf(error)),
      told: (at, point, ours) => {
        const all = named(ours);
        const before = all.slice(0, all.indexOf(point));
        return [
          ...namesOf(all).flatMap((name) => ['-P', placeIn(at, name)]),
          ...WRITES.split(',').flatMap((kind) => {
            const first = before.filter(({ name }) => name === kind).length + 1;
            return ['-e', `inject=${kind}:error=${error}:when=${first}+`];
          }),
        ];
      },
    });
    conclude(context, `a disk that can no longer be written to: ${error}`, hits, found);
    expect(points.length).toBeGreaterThan(15 / EVERY);
    expect(hits).toBeGreaterThanOrEqual(points.length * 0.9 - 1);
  });
});

describe.skipIf(!canTrace)('every call that reads', () => {
  // With a task that is out: there is something to read.
  const arrange = async (at: Workspace): Promise<unknown> => at.run([]);
  test.for(READ_ERRORS)('fails with %s', async (error, context) => {
    const { points, hits, found } = await tried({
      fault: error,
      kinds: READS,
      arrange,
      among: (ours) =>
        sampled(
          ours.filter(({ call }) => !call.includes('O_CREAT')),
          READ_ERRORS.indexOf(error),
        ),
      told: (at, point) => aimedAt(at, point, `error=${error}`),
    });
    conclude(context, `a disk that fails at every call that reads: ${error}`, hits, found);
    expect(points.length).toBeGreaterThan(60 / EVERY);
    expect(hits).toBeGreaterThanOrEqual(points.length * 0.9 - 1);
  });

  test('one file that can no longer be read', async (context) => {
    const { points, hits, found } = await tried({
      fault: 'EIO from then on',
      kinds: READS,
      arrange,
      among: (ours) =>
        sampled(
          named(ours).filter(({ nthThere }) => nthThere === 1),
          2,
        ),
      told: (at, { name, names }) => [
        ...names.flatMap((each) => ['-P', placeIn(at, each)]),
        '-e',
        `inject=${name}:error=EIO`,
      ],
    });
    conclude(context, 'a file that can no longer be read: EIO', hits, found);
    expect(points.length).toBeGreaterThan(30 / EVERY);
    expect(hits).toBeGreaterThanOrEqual(points.length * 0.9 - 1);
  });
});

/** Those about files whose names strace can be told beforehand. */
const named = (points: readonly Point[]): readonly Point[] => points.filter(({ names }) => names.length > 0);
const namesOf = (points: readonly Point[]): readonly string[] => [...new Set(points.flatMap(({ names }) => names))];
const EVERY = Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1);
