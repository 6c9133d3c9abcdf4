// `npm run screenshots`: the pictures in the README, from the running page in Chromium.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { seedBacklog } from './backlog.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from './chromium.ts';
import { liveThroughMonth } from './office-month.ts';
import { startFakeGitea } from './gitea/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = join(ROOT, 'bin/dispatcher.js');
if (!CHROMIUM) throw new Error('there is no Chromium (apt-get install chromium)');

const gitea = await startFakeGitea();
seedBacklog(gitea, new Date());
const folder = mkdtempSync(join(tmpdir(), 'dispatcher-pictures-'));
const config = {
  gitea: { url: gitea.url, repositories: ['acme/app', 'acme/api'] },
  agents: { hans: {}, greta: {} },
  rateLimit: '1s',
};
writeFileSync(join(folder, 'dispatcher.yaml'), JSON.stringify(config));
mkdirSync(join(folder, '.agent-dispatcher'));
liveThroughMonth(join(folder, '.agent-dispatcher'), Date.now());
const dispatcher = (...args: readonly string[]) =>
  spawn(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    env: { ...process.env, GITEA_TOKEN: gitea.token, TZ: 'Europe/Berlin' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

const ended = async (...args: readonly string[]): Promise<void> => {
  await new Promise((resolve) =>
    dispatcher(...args)
      .on('close', resolve)
      .stdout.resume(),
  );
};

for (let pass = 0; pass < 5; pass += 1) {
  await ended('dispatch', '--timer');
  await pause(1100);
}
// Somebody works, somebody is stuck, something is finished; then one more pass, which tells of it.
await ended('next', '--agent', 'hans', '--pid', String(process.pid));
await ended('next', '--agent', 'greta');
await ended('done', '--agent', 'greta');
await ended('next', '--agent', 'greta');
await ended('block', '--agent', 'greta', '--reason', 'Which names shall the headers have? Asked on the issue.');
await ended('dispatch', '--timer');

const page = dispatcher('dashboard', '--port', '0');
const url = await new Promise<string>((resolve) => {
  page.stdout.setEncoding('utf8').on('data', (text: string) => resolve(/http:\S+/u.exec(text)?.[0] ?? ''));
});
const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
mkdirSync(join(ROOT, '.readme'), { recursive: true });
for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1240 }, colorScheme });
  const tab = await context.newPage();
  await tab.goto(url);
  await pause(1000);
  await tab.screenshot({ path: join(ROOT, `.readme/dashboard-${colorScheme}.png`) });
  for (const [name, width, height] of [
    ['history', 1280, 1150],
    ['history-phone', 390, 1150],
  ] as const) {
    await tab.setViewportSize({ width, height });
    await tab.goto(`${url}/history?range=month`);
    await pause(1000);
    await tab.screenshot({ path: join(ROOT, `.readme/${name}-${colorScheme}.png`) });
  }
}
await browser.close();
page.kill();
await gitea.close();
rmSync(folder, { recursive: true });
