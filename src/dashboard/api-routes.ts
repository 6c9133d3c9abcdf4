import type { Hono } from 'hono';
import { fromRfc3339, shortDuration } from '../core/clock.ts';
import { overdue } from '../core/health/health.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import { metricsText } from '../views/metrics.ts';
import { eventStream } from './events.ts';
import type { Site } from './site.ts';

const MOST_STREAMS = 1000;
/** A place in the log, as events carry it. */
const PLACE = /^\d+-\d+$/u;

/** What programs ask for. */
export function addApi(app: Hono, site: Site): void {
  const { deps, feed } = site;
  let streams = 0;

  app.get('/api/v1/status', (context) => {
    const local = feed.picture();
    return local.kind === 'snapshot' ? context.json(local.snapshot) : context.json({ error: local.error }, 503);
  });
  app.get('/api/v1/events', (context) => {
    // Nobody would ever read the stream that belongs to a HEAD request.
    if (context.req.method === 'HEAD') return context.body(null, 200, { 'Content-Type': 'text/event-stream' });
    if (streams >= MOST_STREAMS) return context.text('Too many open pages.\n', 503, { 'Retry-After': '30' });
    streams += 1;
    feed.picture();
    const since = context.req.header('last-event-id') ?? context.req.query('since') ?? feed.position();
    return eventStream(context, site, PLACE.test(since) ? since : '', () => (streams -= 1));
  });
  app.get('/metrics', (context) => {
    const local = feed.picture();
    if (local.kind === 'unreadable') return context.text(`${local.error.message}\n`, 503);
    const isOpenMetrics = /\bapplication\/openmetrics-text\b/u.test(context.req.header('accept') ?? '');
    const sources = { office: deps.config.monitor.office, totals: deps.history().totals, ...deps.durations() };
    return context.body(metricsText(local.snapshot, sources, isOpenMetrics), 200, {
      'Content-Type': isOpenMetrics
        ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
        : 'text/plain; version=0.0.4; charset=utf-8',
      Vary: 'Accept',
    });
  });
  app.get('/healthz', (context) => {
    const { isGood, reason } = judgement(site);
    return context.text(`${reason}\n`, isGood ? 200 : 503);
  });
}

/** For probes, which know no password: `/healthz` tells them good or not, and nothing else. Who has it gets the reason. */
export function addBareHealth(app: Hono, site: Site): void {
  app.get('/healthz', async (context, next) => {
    if (context.req.header('authorization') !== undefined) return next();
    return judgement(site).isGood ? context.text('ok\n') : context.text('not ok\n', 503);
  });
}

function judgement({ deps, feed }: Site): { readonly isGood: boolean; readonly reason: string } {
  const local = feed.picture();
  if (local.kind === 'unreadable') return { isGood: false, reason: local.error.message };
  const { lastSuccessAt } = local.snapshot;
  const why = whyOf(local.snapshot);
  const at = fromRfc3339(lastSuccessAt ?? '');
  const age = at === undefined ? '' : shortDuration(deps.now() - at);
  switch (overdue(at, deps.now())) {
    case null:
      return { isGood: true, reason: `ok: last good pass ${age} ago` };
    case 'never':
      return { isGood: false, reason: `no good pass yet${why}` };
    case 'stale':
      return { isGood: false, reason: `last good pass ${age} ago${why}` };
  }
}

function whyOf({ health, cause, lastPass }: Snapshot): string {
  const error = lastPass?.error ? `: ${lastPass.error.message}` : '';
  return health === 'ok' || health === 'paused' ? error : ` (${cause})${error}`;
}
