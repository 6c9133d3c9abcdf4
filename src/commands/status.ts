import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import { type Health, isAboutTimer, type Timer } from '../core/health/health.ts';
import { type Snapshot, withTimer } from '../core/health/snapshot.ts';
import { jsonText } from '../core/json-text.ts';
import { agentPauses, HEALTH_SIGNS, healthSentence, sentenceText } from '../views/health.ts';
import { statusScreen, statusTsv } from '../views/status.ts';
import { isUnicode, paletteFor } from '../views/palette.ts';
import { terminalWidth } from '../views/terminal.ts';
import { type SnapshotDeps, takeSnapshot } from './take-snapshot.ts';

export interface StatusOptions {
  readonly agent?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly exitStatus?: boolean;
  readonly color?: string;
}

/** What `status` needs: local files, and the terminal it prints to. No token, no network. */
export interface StatusDeps extends SnapshotDeps {
  /** Asks systemd, which takes a moment: only when the passes are missing. */
  readonly readTimer: () => Promise<Timer>;
  /** What to type for a command with this configuration. */
  readonly commandLine: (command: string) => string;
  /** A remedy whose commands are for this configuration. */
  readonly remedy: (fix: string) => string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: {
    readonly isTTY: boolean;
    readonly columns: number | undefined;
    readonly write: (text: string) => void;
  };
  readonly stderr: { readonly write: (text: string) => void };
}

const WATCH_MS = 2000;
const CLEAR = '\u001B[H\u001B[2J';
const UNHEALTHY: ReadonlySet<Health> = new Set(['never_run', 'stale', 'failing']);

/** Prints the status once, or again and again. Answers exit 3 with `exitStatus` when the passes are not healthy. */
export async function status(deps: StatusDeps, options: StatusOptions): Promise<ExitCode> {
  if (options.watch && !options.json && !deps.stdout.isTTY) {
    throw new UserError('--watch needs a terminal, or --json for one document a line', {
      exitCode: EXIT.usage,
      code: 'usage',
    });
  }
  for (;;) {
    const local = takeSnapshot(deps);
    const whole = isAboutTimer(local.health) ? withTimer(local, await deps.readTimer()) : local;
    const snapshot = onlyAgent(whole, options.agent);
    show(deps, snapshot, options);
    if (!options.watch) return options.exitStatus && UNHEALTHY.has(snapshot.health) ? EXIT.unhealthy : EXIT.ok;
    await deps.sleep(WATCH_MS);
    if (deps.isInterrupted()) return EXIT.interrupted;
  }
}

function show(deps: StatusDeps, snapshot: Snapshot, options: StatusOptions): void {
  const { stdout, stderr, environment } = deps;
  if (options.json) return stdout.write(`${jsonText(snapshot, options.watch ? 0 : 2)}\n`);
  const now = Date.parse(snapshot.generatedAt);
  if (!stdout.isTTY) {
    const { parts, fix } = healthSentence(snapshot);
    stderr.write(
      `${HEALTH_SIGNS[snapshot.health]} ${sentenceText(parts, now)}\n${fix ? `  fix: ${deps.remedy(fix)}\n` : ''}`,
    );
    for (const each of agentPauses(snapshot))
      stderr.write(`${HEALTH_SIGNS.paused} ${deps.remedy(sentenceText(each, now))}\n`);
    return stdout.write(statusTsv(snapshot));
  }
  const screen = statusScreen(snapshot, {
    remedy: deps.remedy,
    now,
    width: terminalWidth({ environment, stdout }),
    chalk: paletteFor({ environment, isTTY: stdout.isTTY, wanted: options.color }),
    unicode: isUnicode(environment),
  });
  stdout.write(options.watch ? CLEAR + screen : screen);
  if (snapshot.recent.length === 1 && !options.watch) {
    const page = deps.commandLine('dashboard');
    const timer = deps.commandLine('systemd install --user --now');
    stdout.write(`\nNext: ${page} (the page); a pass every minute: ${timer}\n`);
  }
}

function onlyAgent(snapshot: Snapshot, agent: string | undefined): Snapshot {
  if (agent === undefined) return snapshot;
  const name = agent.toLowerCase();
  const agents = snapshot.agents.filter((each) => each.name === name);
  if (agents.length === 0) {
    throw new UserError(`there is no agent ${name}`, {
      exitCode: EXIT.usage,
      code: 'usage',
      hint: `agents: ${snapshot.agents.map((each) => each.name).join(', ') || 'none yet'}`,
    });
  }
  // All else stays the office's: what counts tell and sentences say of it has to be there.
  return { ...snapshot, agents };
}
