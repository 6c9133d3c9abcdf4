import type { Finding } from '../core/health/finding.ts';

export interface DashboardDeps {
  readonly version: string;
  readonly isPortTaken: (host: string, port: number) => Promise<boolean>;
  /** The version of the dashboard that answers there; null when none does, or it does not tell. */
  readonly dashboardVersion: (host: string, port: number) => Promise<string | null>;
}

/** Whether the page is served, and by this version: a service goes on with the one that it was started with. */
export async function dashboardFinding(
  deps: DashboardDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Finding> {
  const where = `${host}:${port}`;
  const check = 'dashboard';
  if (!(await deps.isPortTaken(host, port))) {
    const message = `nothing listens at ${where}; to start it: dispatcher dashboard`;
    return { check, status: 'note', message, fix: null };
  }
  const running = await deps.dashboardVersion(host, port);
  if (running === null || running === deps.version) {
    return { check, status: 'ok', message: `something listens at ${where}: http://${where}`, fix: null };
  }
  return {
    check,
    status: 'warning',
    message: `the page at http://${where} is of dispatcher ${running}, and this is ${deps.version}`,
    fix: 'sudo systemctl restart dispatcher-dashboard   (or stop and start it where it was started)',
  };
}
