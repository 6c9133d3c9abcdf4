// The entry of a bundle of its own: a pass must not load a web server.

import { IncomingMessage, Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { createApp } from './app.ts';
import type { DashboardDeps } from './dashboard-deps.ts';

export interface Running {
  /** Where it is, such as `http://127.0.0.1:8098`. */
  readonly url: string;
  /** Ends all open streams at once. */
  readonly stop: () => void;
}

/** Listens. Rejects with the system's error when it cannot (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`). */
export async function serve(deps: DashboardDeps, host: string, port: number): Promise<Running> {
  const app = createApp(deps, localAddress);
  const server = createAdaptorServer({
    fetch: app.fetch,
    // Whoever sends a request slowly is not waited for; a stream that takes nothing for a minute is cut.
    serverOptions: {
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      maxHeaderSize: 16_384,
      connectionsCheckingInterval: 2000,
    },
  });
  if (!(server instanceof Server)) throw new TypeError('no HTTP server'); // HTTP/2 was not asked for
  server.timeout = 60_000;
  server.keepAliveTimeout = 5000;
  server.maxConnections = 2000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const actual = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

// The adapter hands Node's own request to each route.
function localAddress(bindings: unknown): string {
  const request =
    typeof bindings === 'object' && bindings !== null && 'incoming' in bindings ? bindings.incoming : null;
  return request instanceof IncomingMessage ? (request.socket.localAddress ?? '') : '';
}
