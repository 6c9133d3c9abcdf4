import type { DashboardConfig } from '../core/config/config.ts';
import { EXIT, type ExitCode, messageOf, systemCode, UserError } from '../core/errors.ts';

export interface DashboardOptions {
  readonly host?: string;
  readonly port?: number;
}

/** What `dashboard` needs besides what the pages show. */
export interface DashboardCommandDeps {
  readonly config: { readonly file: string | null; readonly dashboard: DashboardConfig };
  readonly print: (text: string) => void;
  readonly warn: (message: string) => void;
  readonly readPassword: (file: string) => { readonly value: string; readonly warning: string | null };
  /** Starts to serve. Rejects with the system's error when it cannot listen. */
  readonly serve: (
    host: string,
    port: number,
    password: string | null,
  ) => Promise<{ readonly url: string; readonly stop: () => void }>;
  /** Resolves when the command is asked to stop. */
  readonly interrupted: Promise<void>;
}

/** Serves the page until it is asked to stop. Throws what keeps it from listening, with the remedy. */
export async function dashboard(deps: DashboardCommandDeps, options: DashboardOptions): Promise<ExitCode> {
  const { auth } = deps.config.dashboard;
  const host = options.host ?? deps.config.dashboard.host;
  const port = options.port ?? deps.config.dashboard.port;
  if (!isLoopback(host) && auth === null) throw unprotected(host);
  const password = auth === null ? null : deps.readPassword(auth.passwordFile);
  if (password?.warning) deps.warn(password.warning);
  const running = await deps.serve(host, port, password?.value ?? null).catch((error: unknown) => {
    throw cannotListen(error, host, port);
  });
  deps.print(`Dashboard: ${running.url}  (read-only; Ctrl-C ends it)\n`);
  if (!isLoopback(host)) {
    deps.warn(`${running.url} is plain HTTP: password and pages can be read on the way; put a proxy with TLS in front`);
  }
  await deps.interrupted;
  running.stop();
  return EXIT.ok;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/u.test(host);
}

function unprotected(host: string): UserError {
  return new UserError(`the dashboard would show titles, task texts and the log to everybody who can reach ${host}`, {
    exitCode: EXIT.invalid,
    code: 'dashboard_unprotected',
    hint: 'set dashboard.auth.passwordFile, or stay on 127.0.0.1 and come through ssh -L 8098:localhost:8098',
  });
}

function cannotListen(error: unknown, host: string, port: number): UserError {
  const other = port < 65_535 ? port + 1 : port - 1;
  const [message, hint] = {
    EADDRINUSE: [
      `port ${port} of ${host} is taken, perhaps by another dispatcher dashboard`,
      `see who holds it: ss -ltnp 'sport = :${port}'; or choose another one: dispatcher dashboard --port ${other}`,
    ],
    EACCES: [`this user may not listen on port ${port}`, 'choose a port above 1023: dispatcher dashboard --port 8098'],
    EADDRNOTAVAIL: [`${host} is no address of this machine`, 'see them with: ip -brief address; or use 127.0.0.1'],
    ENOTFOUND: [`${host} is not known as an address`, 'use an address such as 127.0.0.1'],
  }[systemCode(error)] ?? [`the dashboard cannot listen on ${host}, port ${port}: ${messageOf(error)}`, undefined];
  return new UserError(message ?? '', {
    exitCode: EXIT.failure,
    code: 'dashboard_cannot_listen',
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
