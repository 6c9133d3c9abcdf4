// The machines of an office on the page of one of them: real passes on hosts over one PostgreSQL, in Debian's Chromium.
// Skipped, and said so, where one of them is missing: apt-get install chromium postgresql

import { renameSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOOKS, openPage, violations } from '../support/browser.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../support/chromium.ts';
import { workspace } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { type Host, hostsOf, rowsOf } from '../support/hosts.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';

const lacking = CHROMIUM ? noPostgres() : 'there is no Chromium (apt-get install chromium)';
if (lacking !== null) console.warn(`test/browser/machines is skipped: ${lacking}`);

const HOSTILE = '</td><script>window.hit=1</script><img src=x onerror="window.hit=1">"\'{{this}} \u202Egnp.exe';
const TERMS = { maxTasks: null, labels: null, rateLimitMs: null };
const YAML = 'rateLimit: 1s';

/** The rows of the table, cell by cell. */
async function rows(page: Page): Promise<readonly (readonly string[])[]> {
  const all = await page.locator('#machines tbody tr').all();
  return Promise.all(all.map(async (row) => row.locator('td').allInnerTexts()));
}

describe.skipIf(lacking !== null)('machines on the page', { timeout: 180_000 }, () => {
  let browser: Browser;
  let cluster: Cluster;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: CHROMIUM_ARGUMENTS });
    cluster = await startPostgres();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await cluster?.remove();
  });

  /** Three machines: `one` has a task in work and a new one, `two` has a new one, and `three` was not seen for a quarter of an hour. */
  async function office(): Promise<readonly [Host, Host]> {
    const hosts = await hostsOf({ cluster, agents: { one: ['hans'], two: ['greta'], three: ['heidi'] }, yaml: YAML });
    const [one, two, three] = hosts as unknown as [Host, Host, Host];
    one.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    one.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['greta'] });
    for (const at of [three, two, one, two, one, two]) {
      expect((await at.run([])).code).toBe(0);
      if (one.tasks().length + two.tasks().length === 2) break;
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    const home = join(one.folder, '.agent-tasks/hans');
    mkdirSync(join(home, 'doing'), { recursive: true });
    renameSync(join(home, 'issue-1.md'), join(home, 'doing/issue-1.md'));
    rowsOf(
      cluster,
      `update dispatcher.host set seen_at = seen_at - interval '15 minutes', listed_at = null where name = 'three'`,
    );
    expect((await one.run([])).code).toBe(0);
    return [one, two];
  }

  test('each is told: when it was seen, how its pass went, what it holds, who asked last, and that one is lost', async () => {
    const [one, two] = await office();
    const { url } = await startDashboard(one);
    const page = await openPage(browser, url);
    const [first, second, third] = (await rows(page)).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
    expect(first).toEqual([
      expect.stringMatching(/^one \(this one\)/u),
      expect.stringMatching(/^\d+s ago$/u),
      expect.any(String),
      '1 doing',
      'hans',
    ]);
    expect(second?.[0]).toMatch(/^three\s+lost$/u);
    expect(second?.[1]).toMatch(/^1\dm ago/u);
    expect(second?.[4]).toBe('heidi');
    expect(third).toEqual([expect.stringMatching(/^two/u), expect.any(String), expect.any(String), '1 new', 'greta']);
    // One of them asked Gitea last: the one that the database says.
    const [poller] = rowsOf(
      cluster,
      'select name from dispatcher.host where listed_at is not null order by listed_at desc limit 1',
    );
    expect((await rows(page)).flatMap(([name = '']) => (/asked last/u.test(name) ? [name.split(' ')[0]] : []))).toEqual(
      [poller],
    );
    // Whoever cannot see hears the same: a table with a name, and heads of its columns.
    const table = page.getByRole('table', { name: 'The machines of this office' });
    await expect(table.getByRole('columnheader').allInnerTexts()).resolves.toHaveLength(5);
    expect(await table.getByRole('row', { name: /three lost/u }).count()).toBe(1);
    // The other one tells of itself as this one.
    const other = await openPage(browser, (await startDashboard(two)).url);
    expect((await rows(other)).flatMap(([name = '']) => (/this one/u.test(name) ? [name.split(' ')[0]] : []))).toEqual([
      'two',
    ]);
  });

  test('it is live: what the next pass sees stands there by itself', async () => {
    const [one, two] = await office();
    const page = await openPage(browser, (await startDashboard(one)).url);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    const home = join(two.folder, '.agent-tasks/greta');
    mkdirSync(join(home, 'blocked'), { recursive: true });
    renameSync(join(home, 'issue-2.md'), join(home, 'blocked/issue-2.md'));
    for (const at of [two, one]) expect((await at.run([])).code).toBe(0);
    await page.locator('#machines tr[data-key="two"] td', { hasText: '1 blocked' }).waitFor({ timeout: 10_000 });
  });

  test('hostile names of machines and agents are texts; axe finds nothing, nothing is wider than the page', async () => {
    const [one] = await office();
    const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
    const long = 'x'.repeat(300);
    rowsOf(
      cluster,
      `insert into dispatcher.host (name, instance, version, agents, seen_at, last_pass) values
       (${quoted(HOSTILE)}, 'i', ${quoted(HOSTILE)}, ${quoted(JSON.stringify({ [HOSTILE]: TERMS, [long]: TERMS }))}, clock_timestamp(),
        ${quoted(JSON.stringify({ finishedAt: new Date().toISOString(), outcome: 'failed', ref: HOSTILE, error: { code: HOSTILE, message: HOSTILE } }))}),
       (${quoted(long)}, 'j', '1', null, clock_timestamp() - interval '9 days', null)`,
    );
    expect((await one.run([])).code).toBe(0);
    const { url } = await startDashboard(one);
    for (const [colorScheme, width] of LOOKS) {
      const page = await openPage(browser, url, { colorScheme, viewport: { width, height: 900 } });
      const folder = process.env['DISPATCHER_TEST_SCREENSHOTS'];
      if (folder)
        await page.locator('#machines').screenshot({ path: join(folder, `machines-${colorScheme}-${width}.png`) });
      expect(await page.locator('#machines tbody tr').count()).toBe(5);
      for (const cell of ['.machine', '.pass', '.whose'])
        expect(await page.locator('#machines tr').nth(1).locator(cell).innerText()).toContain('<script>window.hit=1');
      expect(await page.evaluate(() => 'hit' in window)).toBe(false);
      expect(await page.locator('#machines img, #machines script').count()).toBe(0);
      expect(await page.content()).not.toContain('\u202E');
      expect([colorScheme, width, await violations(page)]).toEqual([colorScheme, width, []]);
      const room = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(Math.max(0, room)).toBe(0);
    }
  });

  test('where there is one machine, nothing is said of machines', async () => {
    const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\n' });
    const page = await openPage(browser, (await startDashboard(at)).url);
    expect(await page.locator('#machines').count()).toBe(0);
    expect(await page.locator('main').innerText()).not.toContain('Machine');
  });
});
