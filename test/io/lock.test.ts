import { spawn } from 'node:child_process';
import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takeLock } from '../../src/io/state/lock.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'dispatcher-lock-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('one holder at a time, and the next one as soon as it lets go', async () => {
  const place = folder();
  const first = await takeLock(place, 0);
  expect(first).not.toBeNull();
  expect(await takeLock(place, 0)).toBeNull();
  const waiting = takeLock(place, 5);
  first?.release();
  expect(await waiting).not.toBeNull();
});

test('a holder that is killed frees it at once', async () => {
  const place = folder();
  const holder = spawn('flock', [join(place, 'lock'), 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  expect(await takeLock(place, 0)).toBeNull();
  // Both flock and the sleep it started hold the lock.
  const gone = new Promise((resolve) => holder.on('close', resolve));
  spawn('pkill', ['-KILL', '-P', String(holder.pid)]);
  await gone;
  expect(await takeLock(place, 0)).not.toBeNull();
});

test('a file that has another name elsewhere is locked, and not written to', async () => {
  const place = folder();
  const elsewhere = join(folder(), 'precious');
  writeFileSync(elsewhere, 'precious');
  linkSync(elsewhere, join(place, 'lock'));
  expect(await takeLock(place, 0)).not.toBeNull();
  expect(await takeLock(place, 0)).toBeNull();
  expect(readFileSync(elsewhere, 'utf8')).toBe('precious');
});
