import type { Instant } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { Past } from '../core/history/past.ts';
import { type Report, reportOf } from '../core/history/report.ts';
import { jsonText } from '../core/json-text.ts';
import { isUnicode, paletteFor } from '../views/palette.ts';
import { reportTsv } from '../views/report-tsv.ts';
import { terminalWidth } from '../views/terminal.ts';

export interface ReportOptions {
  /** Milliseconds to look back. */
  readonly since?: number;
  readonly agent?: string;
  readonly json?: boolean;
  readonly color?: string;
}

/** What `report` needs: the history, and the terminal it prints to. No token, no network. */
export interface ReportDeps {
  readonly config: Pick<Config, 'agents'>;
  readonly now: () => Instant;
  readonly readPast: () => Past;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: {
    readonly isTTY: boolean;
    readonly columns: number | undefined;
    readonly write: (text: string) => void;
  };
}

const WEEK_MS = 7 * 86_400_000;

/** Prints what the history amounts to. Exit 2 when there is no such agent. */
export async function report(deps: ReportDeps, options: ReportOptions): Promise<ExitCode> {
  const now = deps.now();
  const past = deps.readPast();
  const agent = options.agent?.toLowerCase() ?? null;
  const configured = [...(deps.config.agents?.keys() ?? [])];
  const found = reportOf(past, { from: now - (options.since ?? WEEK_MS), to: now, agent }, configured);
  if (agent !== null && !configured.includes(agent)) checkAgent(agent, found, past, configured);
  const { stdout, environment } = deps;
  if (options.json) stdout.write(`${jsonText(found, 2)}\n`);
  else if (!stdout.isTTY) stdout.write(reportTsv(found));
  else {
    const { reportScreen } = await import('../views/report.ts');
    const chalk = paletteFor({ environment, isTTY: stdout.isTTY, wanted: options.color });
    stdout.write(
      reportScreen(found, { width: terminalWidth({ environment, stdout }), chalk, unicode: isUnicode(environment) }),
    );
  }
  return EXIT.ok;
}

// An agent that the configuration does not name may have a history all the same.
function checkAgent(agent: string, found: Report, { runs }: Past, configured: readonly string[]): void {
  const known = new Set(runs.map((run) => run.agent));
  if (known.has(agent) || found.total.dispatched > 0) return;
  throw new UserError(`there is no agent ${agent}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: `agents: ${[...new Set([...configured, ...known])].toSorted().join(', ') || 'none yet'}`,
  });
}
