// What cron starts, as far as this user may read it.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile } from './files.ts';

const FOLDER = '/etc/cron.d';
const TIMEOUT_MS = 2000;

/** Lines of this user's crontab and of the system's that start a dispatcher. */
export async function readCronLines(): Promise<readonly string[]> {
  const texts = [
    await ownCrontab(),
    textOf('/etc/crontab'),
    ...namesIn(FOLDER).map((name) => textOf(join(FOLDER, name))),
  ];
  return texts
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('#') && /\bdispatcher(?:\.js)?(?:\s|$)/u.test(line.slice(0, 1000)));
}

async function ownCrontab(): Promise<string> {
  return new Promise((resolve) => {
    execFile('crontab', ['-l'], { timeout: TIMEOUT_MS }, (error, stdout) => resolve(error ? '' : stdout));
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readTextFile(path);
  } catch {
    return '';
  }
}
