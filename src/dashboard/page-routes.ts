import { gzipSync } from 'node:zlib';
import type { Context, Hono } from 'hono';
import { isSingle } from '../core/config/patterns.ts';
import { agentPage } from '../views/pages/agent.ts';
import { type Filter, frontPage } from '../views/pages/front.ts';
import { historyPage } from '../views/pages/history.ts';
import { RANGES } from '../views/pages/history-sources.ts';
import { taskPage } from '../views/pages/task.ts';
import type { DashboardDeps } from './dashboard-deps.ts';
import type { Site } from './site.ts';

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** What people look at. */
export function addPages(app: Hono, site: Site): void {
  const { deps, feed, render, frame, assets } = site;
  const front = cached(deps.now);

  app.get('/', (context) =>
    site.withSnapshot(context, (snapshot) => {
      const filter = filterOf(context);
      const page = (): string => {
        const sources = { snapshot, filter, dispatches: deps.history().recent, log: feed.lines() };
        return render('page', frontPage({ ...sources, issuesUrl: issuesUrl(deps) }, frame()));
      };
      return front(context, JSON.stringify([feed.version(), feed.position(), filter]), page);
    }),
  );
  addHistory(app, site);
  app.get('/agents/:agent', (context) =>
    site.withSnapshot(context, (snapshot) => {
      const agent = snapshot.agents.find(({ name }) => name === context.req.param('agent'));
      if (!agent) return site.notFound(context, 'There is no such agent.');
      const number = Math.trunc(Number(context.req.query('page'))) || 1;
      return context.html(render('agent', agentPage(agent, snapshot, number, frame())));
    }),
  );
  app.get('/tasks/:agent/:file{.+}', (context) => {
    const { agent, file } = context.req.param();
    const task = deps.readTask(agent, file);
    if (!task)
      return site.notFound(context, 'There is no such task file. It may have been moved: the tables know where.');
    if (context.req.query('raw') !== undefined) return context.text(task.text);
    return context.html(render('task', taskPage({ agent, file, ...task }, frame())));
  });
  app.get('/log.txt', (context) => {
    feed.picture();
    return context.text(
      feed
        .lines()
        .map(({ text }) => `${text}\n`)
        .join(''),
    );
  });
  app.get('/assets/:name', (context) => asset(context, context.req.param('name')));
  app.get('/favicon.ico', (context) => asset(context, 'favicon-ok.svg'));
  app.notFound((context) => site.notFound(context, 'There is no such page.'));

  function asset(context: Context, name: string): Response | Promise<Response> {
    const text = assets.get(name);
    if (text === undefined) return site.notFound(context, 'There is no such file.');
    const type = TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain';
    return context.body(text, 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=3600' });
  }
}

function addHistory(app: Hono, { deps, feed, render, frame, withSnapshot, notFound }: Site): void {
  const send = cached(deps.now);
  app.get('/history', (context) =>
    withSnapshot(context, (snapshot) => {
      const range = RANGES.find((name) => name === (context.req.query('range') ?? 'week'));
      if (!range) return notFound(context, `There is no such time: ${RANGES.join(', ')}.`);
      const agent = (context.req.query('agent') ?? '').slice(0, 100) || null;
      return send(context, JSON.stringify([feed.version(), range, agent]), () => {
        const sources = { past: deps.past(), snapshot, range, agent, keepMs: deps.config.historyKeepMs };
        return render('history', historyPage(sources, frame()));
      });
    }),
  );
}

function filterOf(context: Context): Filter {
  const value = (name: string): string => (context.req.query(name) ?? '').slice(0, 100);
  return {
    agent: value('agent'),
    priority: value('priority'),
    logText: value('q').trim(),
    logProblems: value('log') === 'problems',
  };
}

// Where people see the issues: of the one repository, or of all that are theirs. Of several servers, the top of the page names each.
function issuesUrl({ config }: DashboardDeps): string | null {
  const { servers, repositories } = config;
  const [pattern] = repositories;
  if (servers.length > 1) return null;
  return isSingle(repositories) && pattern
    ? `${servers[0].url}/${pattern.owner}/${pattern.name}/issues`
    : `${servers[0].url}/issues`;
}

const CACHED_MS = 1000;
const CACHED_PAGES = 20;

// All open pages ask for the same when something changed, and are sent the same piece of memory.
function cached(now: () => number): (context: Context, key: string, page: () => string) => Response {
  const known = new Map<string, { readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> }>();
  // Either way: a page from a time that the clock was put back from would stay until that time comes again.
  const isFresh = (at: number): boolean => Math.abs(now() - at) < CACHED_MS;
  const bytesOf = (key: string, make: () => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    const found = known.get(key);
    if (found && isFresh(found.at)) return found.bytes;
    for (const [old, { at }] of known) if (!isFresh(at) || known.size >= CACHED_PAGES) known.delete(old);
    const bytes = make();
    known.set(key, { at: now(), bytes });
    return bytes;
  };
  return (context, key, page) => {
    const isPacked = /\bgzip\b/u.test(context.req.header('accept-encoding') ?? '');
    const bytes = bytesOf(`${isPacked} ${key}`, () => (isPacked ? gzipSync(page()) : Buffer.from(page())));
    return context.body(bytes, 200, {
      'Content-Type': 'text/html; charset=UTF-8',
      Vary: 'Accept-Encoding',
      ...(isPacked ? { 'Content-Encoding': 'gzip' } : {}),
    });
  };
}
