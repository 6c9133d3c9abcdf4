// Requests in, answers out. The socket is serve.ts; what pages look like is views/pages and templates/dashboard.

import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { authentication, ownHost, readOnly, safeHeaders, sameSite } from './access.ts';
import { addApi, addBareHealth } from './api-routes.ts';
import type { DashboardDeps } from './dashboard-deps.ts';
import { addPages } from './page-routes.ts';
import { createSite } from './site.ts';

/** The dashboard as a function of requests. `localAddress` tells the address on which a request came in. */
export function createApp(deps: DashboardDeps, localAddress: (bindings: unknown) => string): Hono {
  const { dashboard } = deps.config;
  const app = new Hono();
  app.use(safeHeaders());
  app.use(async (context, next) => {
    await next();
    if (!context.res.headers.has('cache-control')) context.header('Cache-Control', 'no-store');
  });
  app.use(readOnly, ownHost(dashboard, localAddress), sameSite);
  const site = createSite(deps);
  if (deps.password !== null) {
    addBareHealth(app, site);
    app.use(authentication(dashboard.auth?.user ?? 'dispatcher', deps.password));
  }
  addApi(app, site);
  addPages(app, site);
  app.onError((error, context) =>
    error instanceof HTTPException
      ? error.getResponse()
      : context.text(`The dashboard could not answer this request: ${error.name}\n`, 500),
  );
  return app;
}
