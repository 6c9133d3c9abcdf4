import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { toRfc3339 } from '../core/clock.ts';
import type { FeedLine } from './feed.ts';
import type { Site } from './site.ts';

const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 3000;
const LINES_AT_ONCE = 200;

/**
 * The stream of one open page: `status` when there is another picture (and once at the start), `log` with new lines, `ping`
 * when nothing happened for 15 s. The id of an event is the place in the log; `since`, or `Last-Event-ID`, goes on from there.
 */
export function eventStream(context: Context, { feed, deps }: Site, since: string, onEnd: () => void): Response {
  // A proxy that gathers the answer would hold back every event.
  context.header('X-Accel-Buffering', 'no');
  return streamSSE(context, async (stream) => {
    const subscription = feed.subscribe();
    stream.onAbort(subscription.close);
    let version = '';
    let position = since;
    await stream.write(`retry: ${RETRY_MS}\n\n`);
    try {
      while (!stream.aborted) {
        const said = version;
        if (version !== feed.version()) {
          version = feed.version();
          await stream.writeSSE({ event: 'status', id: position, data: statusEvent({ feed, deps }) });
        }
        const news = feed.linesAfter(position);
        if (news === null || news.length > 0) {
          position = feed.position();
          await stream.writeSSE({ event: 'log', id: position, data: logEvent(news) });
        } else if (said === version) {
          await stream.writeSSE({ event: 'ping', id: position, data: JSON.stringify({ now: toRfc3339(deps.now()) }) });
        }
        await subscription.next(HEARTBEAT_MS);
      }
    } finally {
      subscription.close();
      onEnd();
    }
  });
}

// A summary: ten thousand tasks to two hundred pages would be a gigabyte. The whole is at /api/v1/status.
function statusEvent({ feed, deps }: Pick<Site, 'feed' | 'deps'>): string {
  const local = feed.picture();
  const head = { version: feed.version(), now: toRfc3339(deps.now()) };
  if (local.kind === 'unreadable') return JSON.stringify({ ...head, error: local.error });
  const { health, counts, slot, next } = local.snapshot;
  return JSON.stringify({ ...head, health, counts, slot, next });
}

function logEvent(news: readonly FeedLine[] | null): string {
  const lines = (news ?? []).slice(-LINES_AT_ONCE);
  // `restarted`: what the reader has is not what these follow; it had better ask for the whole page.
  const restarted = news === null || news.length > LINES_AT_ONCE;
  return JSON.stringify({
    restarted,
    lines: lines.map(({ position, time, name, level, message }) => ({ position, time, name, level, message })),
  });
}
