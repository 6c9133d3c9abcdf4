// What tests of pages in Chromium share.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** How pages are looked at: in both schemes, on a desk and on a phone. */
export const LOOKS = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const;

/** Opens a page; whatever the console has to complain about fails the test. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  tolerated = /(?!)/u,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const complaints: string[] = [];
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !tolerated.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return page;
}

/** What axe finds wrong with a page. */
export async function violations(page: Page): Promise<readonly string[]> {
  // Through the debugger: the page's own policy forbids scripts from elsewhere, ours included.
  const found = await page.evaluate(
    `${AXE}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).slice(0, 3).join(' ')))`,
  );
  return found as string[];
}
