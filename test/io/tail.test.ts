import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { followLines, type News } from '../../src/io/tail.ts';

const scratch = mkdtempSync(join(tmpdir(), 'dispatcher-tail-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let file = '';
let count = 0;
beforeEach(() => {
  file = join(scratch, `log-${(count += 1)}`);
});
const follow = (behind = 1000, longestLine = 100) => followLines(file, { behind, longestLine });
const texts = ({ lines }: News): string[] => lines.map(({ text }) => text);

describe('following a file', () => {
  test('gives each line once, when it is complete', () => {
    writeFileSync(file, 'one\ntwo\nthr');
    const next = follow();
    expect(texts(next())).toEqual(['one', 'two']);
    appendFileSync(file, 'ee\nfour\n');
    expect(texts(next())).toEqual(['three', 'four']);
    expect(texts(next())).toEqual([]);
  });

  test('a file that is not there yet has no lines, and is no start over when it comes', () => {
    const next = follow();
    expect(next()).toEqual({ lines: [], restarted: false });
    writeFileSync(file, 'one\n');
    expect(next()).toMatchObject({ lines: [{ text: 'one' }], restarted: false });
  });

  test('begins near the end of a long file, with a whole line', () => {
    writeFileSync(file, Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join(''));
    const lines = texts(follow(100)());
    expect(lines.at(-1)).toBe('line 499');
    expect(lines.length).toBeLessThan(12);
    expect(lines.every((line) => /^line \d{3}$/u.test(line))).toBe(true);
  });

  test('skips ahead, and says so, when too much came at once', () => {
    writeFileSync(file, 'one\n');
    const next = follow(100);
    next();
    appendFileSync(file, 'x\n'.repeat(1000));
    const news = next();
    expect(news.restarted).toBe(true);
    expect(news.lines.length).toBeLessThan(60);
  });

  test('says once, and not at each look, that it skips a line which is too long and not over; what follows it comes', () => {
    writeFileSync(file, 'one\n');
    const next = follow(100);
    next();
    appendFileSync(file, 'x'.repeat(1000));
    expect(next()).toEqual({ lines: [], restarted: true });
    expect(next()).toEqual({ lines: [], restarted: false });
    appendFileSync(file, 'x'.repeat(90));
    expect(next()).toEqual({ lines: [], restarted: false });
    appendFileSync(file, 'x\ntwo\nthr');
    expect(next()).toMatchObject({ lines: [{ text: 'two' }], restarted: false });
    appendFileSync(file, 'ee\n');
    expect(next()).toMatchObject({ lines: [{ text: 'three' }], restarted: false });
    appendFileSync(file, 'y'.repeat(1000));
    next();
    writeFileSync(file, 'new\n');
    expect(next()).toMatchObject({ lines: [{ text: 'new' }], restarted: true });
  });

  test('a name for each place, the same in another process', () => {
    writeFileSync(file, 'one\ntwo\n');
    expect(follow()().lines).toEqual(follow()().lines);
    expect(new Set(follow()().lines.map(({ position }) => position)).size).toBe(2);
  });

  test('cuts a long line', () => {
    writeFileSync(file, `${'a'.repeat(500)}\nnext\n`);
    expect(texts(follow()())).toEqual(['a'.repeat(100), 'next']);
  });

  test('reads on in the new file after a rotation, and what was still written to the old one', () => {
    writeFileSync(file, 'one\n');
    const next = follow();
    next();
    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, 'late\n');
    expect(next()).toMatchObject({ lines: [{ text: 'late' }], restarted: false });
    expect(texts(next())).toEqual([]);
    writeFileSync(file, 'new\n');
    expect(next()).toMatchObject({ lines: [{ text: 'new' }], restarted: false });
  });

  test('starts over when it is truncated, or replaced by another one', () => {
    writeFileSync(file, 'one\ntwo\n');
    const next = follow();
    next();
    truncateSync(file);
    appendFileSync(file, 'new\n');
    expect(next()).toMatchObject({ lines: [{ text: 'new' }], restarted: true });
    rmSync(file);
    writeFileSync(`${file}.other`, 'other\n');
    renameSync(`${file}.other`, file);
    expect(next()).toMatchObject({ lines: [{ text: 'other' }], restarted: true });
  });

  test('a folder, a pipe and a device have no lines and do not hold it up', () => {
    mkdirSync(file);
    expect(follow()().lines).toEqual([]);
    const pipe = `${file}-pipe`;
    execFileSync('mkfifo', [pipe]);
    expect(followLines(pipe, { behind: 100, longestLine: 100 })().lines).toEqual([]);
    expect(followLines('/dev/zero', { behind: 100, longestLine: 100 })().lines).toEqual([]);
  });

  test('holds nothing open', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    writeFileSync(file, 'one\n');
    const next = follow();
    next();
    const before = open();
    for (let round = 0; round < 100; round += 1) next();
    expect(open()).toBe(before);
  });
});
