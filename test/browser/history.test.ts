// The pictures of the history in Debian's Chromium. Skipped, and said so, where there is none: apt-get install chromium

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dayOf, type HistoryEvent } from '../../src/core/history/event.ts';
import { eventLine } from '../../src/core/history/lines.ts';
import { LOOKS, openPage, violations } from '../support/browser.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../support/chromium.ts';
import { type Workspace, workspace } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { aDispatched, anOfficeHistory, writeHistory } from '../support/history.ts';

if (!CHROMIUM) console.warn('test/browser is skipped: there is no Chromium (apt-get install chromium)');

let browser: Browser;
beforeAll(async () => {
  if (CHROMIUM) browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
});
afterAll(async () => browser?.close());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YAML = 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: {} }\n';

async function officeWith(events: (now: number) => readonly HistoryEvent[]): Promise<Workspace> {
  const at = await workspace({ yaml: YAML });
  writeHistory(join(at.folder, '.agent-dispatcher'), events(Date.now()));
  return at;
}
const aMonth = (now: number): readonly HistoryEvent[] =>
  anOfficeHistory({ days: 30, agents: 3, from: now - 30 * DAY, perDay: 3 });
const number = async (page: Page, tile: string): Promise<string> =>
  page.locator(`.tiles li[data-key="${tile}"] b`).innerText();
const cells = async (page: Page, row: string): Promise<readonly string[]> => page.locator(`${row} td`).allInnerTexts();

describe.skipIf(!CHROMIUM)('history', () => {
  test('a month: each picture has its numbers in a table, and they are those of the events', async () => {
    const events: HistoryEvent[] = [];
    const at = await officeWith((now) => (events.push(...aMonth(now)), events));
    const { url } = await startDashboard(at);
    const page = await openPage(browser, `${url}/history?range=month`);
    const shown = Date.parse((await page.locator('footer time').getAttribute('datetime')) ?? '');
    const inTime = events.filter((event) => event.at >= shown - 30 * DAY && event.at <= shown);
    const dispatched = inTime.filter((event) => event.event === 'dispatched');
    expect(await number(page, 'dispatched')).toBe(String(dispatched.length));
    expect(await number(page, 'failed passes')).toBe(String(inTime.filter(({ event }) => event === 'failed').length));
    const sums = async (selector: string): Promise<number> =>
      (await page.locator(selector).allTextContents()).reduce((sum, text) => sum + Number(text), 0);
    expect(await sums('#steps tbody td:nth-of-type(1)')).toBe(dispatched.length);
    expect(await sums('#waited tbody td:nth-of-type(5)')).toBe(
      dispatched.filter((event) => event.event === 'dispatched' && event.since !== null).length,
    );
    // Handed back, or its issue closed: in this history each task ends once.
    const finished = inTime.filter(
      (event) => event.event === 'done' || (event.event === 'archived' && event.reason === 'closed'),
    );
    expect(await number(page, 'finished')).toBe(String(finished.length));
    expect(await sums('#steps tbody td:nth-of-type(2)')).toBe(finished.length);
    expect(await sums('#worked tbody td:nth-of-type(5)')).toBe(finished.length);
    for (const agent of ['agent-1', 'agent-2', 'agent-3']) {
      const own = dispatched.filter((event) => 'agent' in event && event.agent === agent);
      const row = page.locator('.figures .sum', { hasText: agent });
      expect(await row.locator('td').nth(1).innerText()).toBe(String(own.length));
      // Every task of the time is a bar of its lane, or is said not to be drawn.
      expect(await page.locator(`[data-key="lane ${agent}"] .run`).count()).toBeGreaterThanOrEqual(own.length);
    }
    const lastSample = inTime.findLast((event) => event.event === 'sample');
    const counts = [0, 0, 0, 0];
    for (const [, ...each] of lastSample?.event === 'sample'
      ? lastSample.waiting.matchAll(/=(\d),(\d),(\d),(\d)/gu)
      : [])
      each.forEach((count, index) => (counts[index]! += Number(count)));
    await page.locator('#waiting summary').click();
    expect(await cells(page, '#waiting tbody tr:first-of-type')).toEqual(counts.map(String));
  });

  test.for(LOOKS)('axe finds nothing, and nothing is wider than the page: %s, %d px', async ([colorScheme, width]) => {
    const { url } = await startDashboard(await officeWith(aMonth));
    for (const range of ['day', 'month']) {
      const page = await openPage(browser, `${url}/history?range=${range}`, {
        colorScheme,
        viewport: { width, height: 900 },
      });
      for (const summary of await page.locator('.picture summary').all()) await summary.click();
      expect([range, await violations(page)]).toEqual([range, []]);
      const room = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(Math.max(0, room)).toBe(0);
    }
  });

  test('the keyboard reaches each bar; its words are read out, shown, and lead to the task', async () => {
    const at = await officeWith((now) => [aDispatched({ at: now - HOUR, since: now - 2 * HOUR })]);
    const { url } = await startDashboard(at);
    const page = await openPage(browser, `${url}/history?range=day`);
    const bar = page.getByRole('link', {
      name: /^acme\/app#2 CRITICAL: silent DB errors\. Dispatched .*, waited 1h; still new after 1h/u,
    });
    await page.locator('.lane h3 a').last().focus();
    await page.keyboard.press('Tab');
    expect(await bar.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await page.locator('#note').innerText()).toContain('silent DB errors');
    expect(await bar.getAttribute('href')).toBe(`${at.gitea.url}/acme/app/issues/2`);
    await expect(page.getByRole('group', { name: 'Tasks of hans' }).count()).resolves.toBe(1);
    await expect(page.getByRole('img', { name: /^Dispatched and finished tasks each hour/u }).count()).resolves.toBe(1);
  });

  test('a bar leads to the task file where it is there', async () => {
    const at = await workspace({ yaml: YAML });
    at.gitea.addIssue({ repository: 'acme/app', number: 7, title: 'Seven', assignees: ['hans'] });
    await at.run([]);
    const page = await openPage(browser, `${(await startDashboard(at)).url}/history`);
    await page.getByRole('link', { name: /^acme\/app#7 NORMAL: Seven/u }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/tasks\/hans\/issue-7\.md$/u);
    expect(await page.locator('h1').innerText()).toContain('Seven');
  });

  test('hostile texts are texts', async () => {
    const hostile =
      '</title></svg><script>window.hit=1</script><img src=x onerror="window.hit=1">"\'{{this}} \u202Egnp';
    const at = await officeWith((now) => [
      aDispatched({ at: now - 3 * HOUR, title: hostile }),
      aDispatched({ at: now - 2 * HOUR, key: '3:x', agent: '"><svg onload=window.hit=1>', ref: 'javascript:alert(1)' }),
      { at: now - HOUR, event: 'archived', key: '3:x', ref: 'x', agent: 'x', reason: '<script>window.hit=1</script>' },
      { at: now - HOUR, event: 'failed', code: '<script>window.hit=1</script>' },
      { at: now - HOUR, event: 'sample', waiting: '<script>=1,x,-5,1e309 ='.repeat(50) },
    ]);
    const page = await openPage(browser, `${(await startDashboard(at)).url}/history?range=day`);
    for (const summary of await page.locator('.picture summary').all()) await summary.click();
    expect(await page.evaluate(() => 'hit' in window)).toBe(false);
    expect(await page.content()).not.toContain('\u202E');
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
    expect(await page.locator('#lanes').innerText()).toContain('<script>window.hit=1</script>');
    expect(await violations(page)).toEqual([]);
  });

  test.for<{ what: string; events: (now: number) => readonly HistoryEvent[]; says: RegExp }>([
    { what: 'an empty history', events: () => [], says: /There is no history yet\. The next pass begins it\./u },
    { what: 'one event', events: (now) => [aDispatched({ at: now - HOUR })], says: /1 dispatched/u },
    {
      what: 'nothing but a sample',
      events: (now) => [{ at: now - HOUR, event: 'sample', waiting: '' }],
      says: /No task in this time.*Nothing was dispatched and nothing finished in this time/u,
    },
    {
      what: 'clocks that jumped',
      events: (now) => [
        aDispatched({ at: Date.UTC(1970, 0, 1), key: '1:hans' }),
        aDispatched({ at: now - HOUR }),
        { at: now - 2 * HOUR, event: 'done', key: '2:hans', ref: 'acme/app#2', agent: 'hans' },
        aDispatched({ at: Date.UTC(2200, 0, 1), key: '3:hans' }),
      ],
      says: /1 dispatched/u,
    },
  ])('$what', async ({ events, says }) => {
    const { url } = await startDashboard(await officeWith(events));
    for (const range of ['day', 'all']) {
      const page = await openPage(browser, `${url}/history?range=${range}`);
      expect((await page.locator('main').innerText()).replaceAll(/\s+/gu, ' ')).toMatch(says);
      expect(await page.content()).not.toMatch(/NaN|Infinity|undefined/u);
      expect(await violations(page)).toEqual([]);
    }
  });

  test('200 agents: the busiest are drawn, the others are named, and one can be chosen', async () => {
    const at = await officeWith((now) => anOfficeHistory({ days: 7, agents: 200, from: now - 7 * DAY, perDay: 4 }));
    const page = await openPage(browser, `${(await startDashboard(at)).url}/history?range=week`);
    expect(await page.locator('.lane').count()).toBe(20);
    expect(await page.locator('#lanes').innerText()).toContain('182 more agents had less to do');
    expect(await page.locator('.figures .sum').count()).toBe(203);
    await page.locator('select[name=agent]').selectOption('agent-150');
    await page.waitForURL(/agent=agent-150/u);
    await page.locator('.lane h3', { hasText: 'agent-150' }).waitFor();
    expect(await page.locator('.lane').count()).toBe(1);
    expect((await page.content()).length).toBeLessThan(1_000_000);
  });

  test('it is live: an event shows by itself, and an open table stays open', async () => {
    const at = await officeWith((now) => [aDispatched({ at: now - HOUR })]);
    const { url } = await startDashboard(at);
    const page = await openPage(browser, `${url}/history?range=day`);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    await page.locator('#lanes-table summary').click();
    const event = aDispatched({ at: Date.now(), key: '9:hans', ref: 'acme/app#9', title: 'Nine' });
    appendFileSync(join(at.folder, '.agent-dispatcher/history', `${dayOf(event.at)}.jsonl`), `${eventLine(event)}\n`);
    await page.locator('#lanes-table td', { hasText: 'Nine' }).waitFor({ timeout: 3000 });
    expect(await page.locator('#lanes-table').getAttribute('open')).toBe('');
  });

  test('without JavaScript the pictures, their tables and the choice of time are there', async () => {
    const { url } = await startDashboard(await officeWith(aMonth));
    const page = await openPage(browser, `${url}/history?range=week`, { javaScriptEnabled: false });
    expect(await page.locator('.run').count()).toBeGreaterThan(50);
    await page.locator('.ranges a', { hasText: 'month' }).click();
    await page.waitForURL(/range=month/u);
    await page.locator('select[name=agent]').selectOption('agent-2');
    await page.locator('form button', { hasText: 'Show' }).click();
    await page.waitForURL(/range=month&agent=agent-2/u);
    expect(await page.locator('.lane').count()).toBe(1);
  });

  test('a time that is none is not found', async () => {
    const { url } = await startDashboard(await officeWith(() => []));
    expect((await fetch(`${url}/history?range=decade`)).status).toBe(404);
  });
});
