// Who may ask, and how: only GET and HEAD, only under our own name, only who knows the password when there is one.

import type { MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { bearerAuth } from 'hono/bearer-auth';
import { some } from 'hono/combine';
import { secureHeaders } from 'hono/secure-headers';
import type { DashboardConfig } from '../core/config/config.ts';

/** Headers that let a page load from here alone, run no inline script, and be framed by nobody. */
export function safeHeaders(): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    crossOriginResourcePolicy: 'same-origin',
    crossOriginOpenerPolicy: 'same-origin',
    // Whether the way here is TLS is not ours to say.
    strictTransportSecurity: false,
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
  });
}

/** Answers 405 to everything but GET and HEAD. */
export const readOnly: MiddlewareHandler = async (context, next) => {
  if (context.req.method === 'GET' || context.req.method === 'HEAD') return next();
  return context.text('The dashboard is read-only: GET and HEAD.\n', 405, { Allow: 'GET, HEAD' });
};

/**
 * Answers 421 unless the request names us: localhost, the address it came in on, or a name of the configuration. A page
 * elsewhere whose name was made to resolve to this machine (DNS rebinding) names itself.
 */
export function ownHost(
  { allowedHosts }: DashboardConfig,
  localAddress: (context: object) => string,
): MiddlewareHandler {
  return async (context, next) => {
    const name = hostName(context.req.header('host') ?? '');
    const address = localAddress(context.env).replace(/^::ffff:/u, '');
    const names = ['localhost', '127.0.0.1', '::1', address, ...allowedHosts];
    if (name !== null && names.includes(name)) return next();
    return context.text(
      'This is not the name of the dashboard. Names besides localhost: dashboard.allowedHosts.\n',
      421,
    );
  };
}

/** Answers 403 to what another site's page asks for in the background. A link that somebody follows is welcome. */
export const sameSite: MiddlewareHandler = async (context, next) => {
  const isForeign = context.req.header('sec-fetch-site') === 'cross-site';
  if (!isForeign || context.req.header('sec-fetch-mode') === 'navigate') return next();
  return context.text('Requests from other sites are refused.\n', 403);
};

/** Asks browsers for user and password; scripts send the password as a bearer token. */
export function authentication(user: string, password: string): MiddlewareHandler {
  const basic = basicAuth({ username: user, password, realm: 'dispatcher' });
  return some(bearerAuth({ token: password }), basic);
}

/** The lower-cased name in a Host header, without port and brackets; null when it is none. */
function hostName(header: string): string | null {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/iu.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase() ?? null;
}
