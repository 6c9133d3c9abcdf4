// The page in Debian's Chromium. Skipped, and said so, where there is none: apt-get install chromium

import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Heartbeat } from '../../src/core/state/last-pass.ts';
import { LOOKS, openPage, violations } from '../support/browser.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../support/chromium.ts';
import { type Workspace, workspace } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';

if (!CHROMIUM) console.warn('test/browser is skipped: there is no Chromium (apt-get install chromium)');

let browser: Browser;
beforeAll(async () => {
  if (!CHROMIUM) return;
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: CHROMIUM_ARGUMENTS,
  });
});
afterAll(async () => browser?.close());

const YAML = 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n';
const HOSTILE =
  '</title><script>window.hit=1</script><img src=x onerror="window.hit=1">"\'`{{this}} \u202Egnp.exe \u001B[31mred\u001B[0m \u200B';

async function office(): Promise<Workspace> {
  const at = await workspace({ yaml: YAML });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', labels: ['critical'], assignees: ['hans'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'Second', labels: ['high'], assignees: ['greta'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 3, title: 'Third', assignees: ['hans', 'mallory'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 4, title: 'Fourth', labels: ['low'], assignees: ['greta'] });
  return at;
}

const open = async (...args: Tail<Parameters<typeof openPage>>): Promise<Page> => openPage(browser, ...args);
type Tail<T extends readonly unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;

const text = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().innerText()).replaceAll(/\s+/gu, ' ').trim();

function editLastPass(at: Workspace, edit: (heartbeat: Heartbeat) => object): void {
  const name = '.agent-dispatcher/last-pass.json';
  at.write(name, JSON.stringify(edit(JSON.parse(at.read(name)))));
}
const agoIso = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
const aged = (seconds: number) => (heartbeat: Heartbeat) => ({
  ...heartbeat,
  lastPass: { ...heartbeat.lastPass, finishedAt: agoIso(seconds) },
});

/** Each state of the page, and how it comes about. */
const STATES: readonly {
  state: string;
  arrange: (at: Workspace) => Promise<void> | void;
  banner: RegExp;
  title: RegExp;
  icon: string;
}[] = [
  {
    state: 'ok',
    arrange: async (at) => void (await at.run([])),
    banner: /^● OK last pass \d+s ago, dispatched acme\/app#1/u,
    title: /^Dispatcher$/u,
    icon: 'ok',
  },
  {
    state: 'idle',
    arrange: async (at) => {
      for (const number of [1, 2, 3, 4]) at.gitea.editIssue(`acme/app#${number}`, { state: 'closed' });
      await at.run([]);
    },
    banner: /^● OK last pass \d+s ago, nothing to do slot free, 0 waiting$/u,
    title: /^Dispatcher$/u,
    icon: 'ok',
  },
  {
    state: 'late',
    arrange: async (at) => (await at.run([]), editLastPass(at, aged(100))),
    // A slow machine needs a while for its four looks.
    banner: /^▲ LATE last pass [12]m ago/u,
    title: /^! late – /u,
    icon: 'attention',
  },
  {
    state: 'stale',
    arrange: async (at) => (await at.run([]), editLastPass(at, aged(600))),
    banner:
      /^✖ STALE last pass 10m ago, the timer seems to be stopped.*fix: see that something starts a pass every minute/u,
    title: /^! stale – /u,
    icon: 'trouble',
  },
  {
    state: 'failing',
    arrange: async (at) => {
      await at.run([]);
      await at.run([], { GITEA_TOKEN: 'wrong' });
    },
    banner: /^✖ FAILING 1 pass in a row, since \d+s: .*401.*fix: /u,
    title: /^! failing – /u,
    icon: 'trouble',
  },
  {
    state: 'paused',
    arrange: async (at) => {
      await at.run([]);
      await at.run(['pause', '--reason', 'release freeze', '--for', '2h'], { USER: 'ana' });
    },
    banner: /^‖ PAUSED since \d+s, for another (?:1h|2h), by ana: release freeze.*fix: dispatcher resume/u,
    title: /^! paused – /u,
    icon: 'attention',
  },
  {
    state: 'never run',
    arrange: () => {},
    banner: /^○ NEVER RUN no pass has run yet/u,
    title: /^! never run – /u,
    icon: 'attention',
  },
  {
    state: 'unreadable',
    arrange: (at) => {
      mkdirSync(join(at.folder, '.agent-dispatcher'));
      at.write('.agent-dispatcher/state.json', '{"version":99}');
    },
    banner: /written by a newer dispatcher.*state_newer.*fix: install that version again/u,
    title: /^! state unreadable – /u,
    icon: 'trouble',
  },
];

describe.skipIf(!CHROMIUM)('each state', () => {
  test.for(STATES)(
    '$state: banner, title and icon say it, and axe finds nothing, light and dark, wide and narrow',
    async ({ arrange, banner, title, icon }) => {
      const at = await office();
      await arrange(at);
      const { url } = await startDashboard(at);
      for (const [colorScheme, width] of LOOKS) {
        const page = await open(url, { colorScheme, viewport: { width, height: 720 } });
        expect(await text(page, '.banner')).toMatch(banner);
        expect(await page.title()).toMatch(title);
        expect(await page.locator('#icon').getAttribute('href')).toBe(`/assets/favicon-${icon}.svg`);
        expect({ colorScheme, width, found: await violations(page) }).toEqual({ colorScheme, width, found: [] });
        // Nothing sticks out at the side.
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        ).toBeLessThanOrEqual(0);
      }
    },
  );

  test('the stream lost: the page says so, and recovers by itself when the dashboard is back', async () => {
    const at = await office();
    await at.run([]);
    const board = await startDashboard(at);
    const page = await open(board.url, {}, /Failed to load resource|ERR_CONNECTION_REFUSED/u);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    const ended = new Promise((resolve) => board.child.on('close', resolve));
    board.child.kill('SIGKILL');
    await ended;
    await page.locator('#live', { hasText: 'Reconnecting' }).waitFor({ timeout: 5000 });
    expect(await text(page, '#agents')).toContain('First');
    await page.locator('#lost').waitFor({ timeout: 15_000 });
    expect(await text(page, '#lost')).toContain('is lost since');
    expect(await violations(page)).toEqual([]);
    await at.run([]);
    await startDashboard(at, ['--port', String(board.port)]);
    await page.locator('#live', { hasText: 'Live' }).waitFor({ timeout: 45_000 });
    await page.locator('#recent', { hasText: 'Second' }).waitFor({ timeout: 5000 });
    expect(await page.locator('#lost').isVisible()).toBe(false);
  });
});

describe.skipIf(!CHROMIUM)('live', () => {
  test('a dispatch shows within a second of its file, without a reload, and focus, selection and open details stay', async () => {
    const at = await office();
    await at.run([]);
    const page = await open((await startDashboard(at)).url);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    await page.evaluate(() => {
      Object.assign(window, { sameDocument: true });
      document.querySelector<HTMLDetailsElement>('#keys')!.open = true;
      getSelection()!.selectAllChildren(document.querySelector('#next-head')!);
      document.querySelector<HTMLElement>('.agent h3 a')!.focus();
    });
    await pause(1000);
    const file = join(at.folder, '.agent-tasks/greta/issue-2.md');
    const running = at.run([]);
    while (!existsSync(file)) await pause(5);
    const appeared = Date.now();
    await page.locator('tr.dispatched', { hasText: 'Second' }).waitFor({ timeout: 5000 });
    expect(Date.now() - appeared).toBeLessThan(1000);
    await page.locator('#lines', { hasText: 'greta → Issue #2 (Second)' }).waitFor({ timeout: 1000 });
    await running;
    expect(
      await page.evaluate(() => [
        'sameDocument' in window,
        document.querySelector<HTMLDetailsElement>('#keys')!.open,
        String(getSelection()),
        document.activeElement?.textContent,
      ]),
    ).toEqual([true, true, 'Next up', 'greta']);
  });

  test('ages tick, and the state is spoken only when it changes', async () => {
    const at = await office();
    await at.run([]);
    const page = await open((await startDashboard(at)).url);
    const first = await text(page, '.banner .sentence');
    await pause(2500);
    expect(await text(page, '.banner .sentence')).not.toBe(first);
    expect(await page.locator('#announce').textContent()).toBe('');
    editLastPass(at, aged(600));
    await page.locator('#announce', { hasText: 'Passes are stale' }).waitFor({ timeout: 3000, state: 'attached' });
    expect(await page.title()).toBe('! stale – Dispatcher');
    expect(await page.locator('#icon').getAttribute('href')).toBe('/assets/favicon-trouble.svg');
  });

  test('the log follows, waits while somebody reads further up, and goes on', async () => {
    const at = await office();
    const log = join(at.folder, '.agent-dispatcher.log');
    appendFileSync(log, Array.from({ length: 100 }, (_, index) => `line ${index}\n`).join(''));
    const page = await open((await startDashboard(at)).url);
    const box = page.locator('#scroll');
    const fromEnd = async (): Promise<number> =>
      box.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    appendFileSync(log, 'newest\n');
    await page.locator('#lines li', { hasText: 'newest' }).waitFor({ timeout: 2000 });
    expect(await fromEnd()).toBeLessThan(5);
    await box.evaluate((element) => (element.scrollTop = 100));
    await page.locator('#follow[aria-pressed=false]').waitFor();
    appendFileSync(log, 'unseen one\nunseen two\n');
    await page.locator('#newer', { hasText: '2 new lines' }).waitFor({ timeout: 2000 });
    expect(await box.evaluate((element) => element.scrollTop)).toBe(100);
    await page.locator('#newer').click();
    expect(await fromEnd()).toBeLessThan(5);
    expect(await page.locator('#follow').getAttribute('aria-pressed')).toBe('true');
  });

  test('frozen, nothing moves; going on shows what came', async () => {
    const at = await office();
    const page = await open((await startDashboard(at)).url);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    await page.keyboard.press('f');
    await page.locator('#live', { hasText: 'Frozen' }).waitFor();
    await at.run([]);
    await pause(1500);
    expect(await text(page, '.banner')).toContain('NEVER RUN');
    expect(await page.locator('#lines li').count()).toBe(0);
    await page.keyboard.press('f');
    await page.locator('.banner.ok').waitFor({ timeout: 2000 });
    await page.locator('#lines li').first().waitFor({ timeout: 2000 });
  });

  test('more lines than the page keeps: it keeps the last 500', async () => {
    const at = await office();
    const log = join(at.folder, '.agent-dispatcher.log');
    appendFileSync(log, 'first\n');
    const page = await open((await startDashboard(at)).url);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    for (let burst = 0; burst < 8; burst += 1) {
      appendFileSync(log, Array.from({ length: 150 }, (_, index) => `burst ${burst} ${index}\n`).join(''));
      await page.locator('#lines li', { hasText: `burst ${burst} 149` }).waitFor({ timeout: 3000 });
    }
    expect(await page.locator('#lines li').count()).toBe(500);
  });
});

describe.skipIf(!CHROMIUM)('filters', () => {
  test('stand in the address, and work with and without script', async () => {
    const at = await office();
    await at.run([]);
    await pause(1000);
    await at.run([]);
    const { url } = await startDashboard(at);
    for (const javaScriptEnabled of [true, false]) {
      const page = await open(url, { javaScriptEnabled });
      await page.selectOption('select[name=agent]', 'greta');
      if (!javaScriptEnabled) await page.locator('#recent button[type=submit]').click();
      await page.locator('.recent tbody tr', { hasText: 'First' }).waitFor({ state: 'detached' });
      expect(await page.locator('.recent tbody tr').count()).toBe(1);
      expect(new URL(page.url()).searchParams.get('agent')).toBe('greta');
      await page.fill('input[type=search]', 'second');
      if (!javaScriptEnabled) await page.locator('#log button[type=submit]').click();
      await page.locator('#lines li', { hasText: 'First' }).waitFor({ state: 'detached' });
      expect(await page.locator('#lines li').count()).toBe(1);
      expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({ agent: 'greta', q: 'second' });
      await page.reload();
      expect(await page.locator('input[type=search]').inputValue()).toBe('second');
    }
  });
});

describe.skipIf(!CHROMIUM)('without script', () => {
  test('everything is there, and it is loaded again every 10 s', async () => {
    const at = await office();
    const page = await open((await startDashboard(at)).url, { javaScriptEnabled: false });
    expect(await text(page, '.banner')).toContain('NEVER RUN');
    expect(
      await page
        .locator('button.with-script')
        .first()
        .isVisible()
        .catch(() => false),
    ).toBe(false);
    await at.run([]);
    await page.locator('.banner.ok').waitFor({ timeout: 15_000 });
    expect(await text(page, '#lines')).toContain('DISPATCHED');
  });
});

describe.skipIf(!CHROMIUM)('hostile text', () => {
  test('in every field shows as harmless text, on every page', async () => {
    const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n' });
    const labels = ['critical', HOSTILE.slice(0, 50)];
    at.gitea.addIssue({
      repository: 'acme/app',
      number: 1,
      title: HOSTILE,
      body: `${HOSTILE}\n\n[x](javascript:window.hit=1) ![x](http://127.0.0.1:1/x.png)`,
      labels,
      assignees: ['hans'],
      author: 'alice',
      comments: [{ author: 'bob', body: HOSTILE, createdAt: new Date() }],
    });
    at.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'W'.repeat(100_000), assignees: ['greta'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 3, title: HOSTILE, assignees: ['../evil"><b>'] });
    await at.run([]);
    appendFileSync(
      join(at.folder, '.agent-dispatcher.log'),
      `${HOSTILE}\n${'x'.repeat(100_000)}\ntoken=0123456789abcdef0123456789abcdef01234567\n`,
    );
    const { url } = await startDashboard(at);
    for (const path of [
      '/',
      '/tasks/hans/issue-1.md',
      '/agents/hans',
      `/?q=${encodeURIComponent(HOSTILE)}&agent=${encodeURIComponent(HOSTILE)}`,
    ]) {
      const page = await open(url + path);
      await pause(300);
      expect([path, await page.evaluate(() => 'hit' in window)]).toEqual([path, false]);
      expect(await page.locator('main img, main script, main b.evil').count()).toBe(0);
      expect(await page.evaluate(() => document.body.innerText)).not.toMatch(/[\u0000-\u0008\u001B\u202E\u200B]/u);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      ).toBeLessThanOrEqual(0);
      expect([path, await violations(page)]).toEqual([path, []]);
    }
    const page = await open(url);
    expect(await text(page, '#lines')).toContain('token=[masked]');
    appendFileSync(join(at.folder, '.agent-dispatcher.log'), `live ${HOSTILE} password=hunter2222\n`);
    await page.locator('#lines li', { hasText: 'live' }).waitFor();
    expect(await text(page, '#lines')).toContain('password=[masked]');
    expect(await page.evaluate(() => 'hit' in window)).toBe(false);
  });
});

test.skipIf(!CHROMIUM)('the task page tells our text and quoted text apart, and axe finds nothing', async () => {
  const at = await office();
  await at.run([]);
  const { url } = await startDashboard(at);
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 390],
  ] as const) {
    const page = await open(url, { colorScheme, viewport: { width, height: 720 } });
    await page.locator('a', { hasText: 'task' }).first().click();
    expect(await text(page, 'h1')).toBe('CRITICAL acme/app#1 First');
    expect(await text(page, '.facts')).toContain('priority CRITICAL');
    expect(await text(page, '.own')).toContain('Resolve acme/app#1');
    expect(await text(page, '.quoted')).toMatch(/^Copied from Gitea: title and labels by /u);
    expect(await violations(page)).toEqual([]);
  }
});

test.skipIf(!CHROMIUM)('keys: / filters the log, ? shows the keys, and none of them while typing', async () => {
  const page = await open((await startDashboard(await office())).url);
  await page.keyboard.press('/');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('q');
  await page.keyboard.type('f?/');
  expect(await page.locator('input[type=search]').inputValue()).toBe('f?/');
  expect(await page.locator('#freeze').getAttribute('aria-pressed')).toBe('false');
  await page.locator('#scroll').focus();
  await page.keyboard.press('?');
  expect(await page.locator('#keys').getAttribute('open')).toBe('');
});

test.skipIf(!CHROMIUM)('axe finds what is planted', async () => {
  const page = await open((await startDashboard(await office())).url);
  await page.evaluate(() => {
    const field = document.createElement('input');
    document.querySelector('main')!.append(field);
    document.querySelector<HTMLElement>('.banner .sentence')!.style.color = '#e6f4e9';
  });
  expect((await violations(page)).map((found) => found.split(':')[0])).toEqual(['color-contrast', 'label']);
});

test.skipIf(!CHROMIUM)('printed, it has the tables and no log', async () => {
  const at = await office();
  await at.run([]);
  const page = await open((await startDashboard(at)).url);
  await page.emulateMedia({ media: 'print' });
  expect(await page.locator('#log').isVisible()).toBe(false);
  expect(await page.locator('#agents').isVisible()).toBe(true);
});
