// Checks everything that a pass needs, in the order in which a pass needs it. What a check depends on and has not got is
// said as skipped, so that the first failure is the one to mend.

import type { Instant } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import type { Server } from '../core/config/servers.ts';
import { EXIT, type ExitCode } from '../core/errors.ts';
import { failed, type Finding, note, ok } from '../core/health/finding.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import type { Pause } from '../core/state/pause.ts';
import { jsonText } from '../core/json-text.ts';
import type { TimerUnits, Unit } from '../io/systemd.ts';
import type { Place } from '../io/places.ts';
import type { Token } from '../io/token.ts';
import { findingText } from '../views/doctor.ts';
import { agentFolderFindings, type AgentRightsDeps, agentRightsFindings } from './doctor-agents.ts';
import { type DashboardDeps, dashboardFinding } from './doctor-dashboard.ts';
import type { FollowUpDeps } from './doctor-follow-ups.ts';
import { placeFindings } from './doctor-places.ts';
import { type AskedServer, serverFindings, templateFindings } from './doctor-server.ts';
import { hasRun, stateFindings } from './doctor-state.ts';
import { type StoreCheckDeps, storeFindings } from './doctor-store.ts';
import { taskFindings } from './doctor-tasks.ts';
import { timerFindings } from './doctor-timer.ts';
import type { SnapshotDeps } from './take-snapshot.ts';

export interface DoctorDeps extends DashboardDeps, AgentRightsDeps, StoreCheckDeps {
  readonly node: string;
  readonly version: string;
  /** Whether whoever runs this has a home folder: a user without a name, as in a container, has none. */
  readonly hasHome: boolean;
  /** Real path of the script that runs now. */
  readonly script: string;
  readonly now: () => Instant;
  readonly loadConfig: () => Config;
  /** The token that a pass uses for a server; `credential` is the file that the unit hands over as one, or null. */
  readonly token: (server: Server, credential: string | null) => Token;
  /** Loads a template (null: the built-in one) and renders a sample. Throws what is wrong with it. */
  readonly tryTemplate: (file: string | null) => Promise<void>;
  readonly gitea: (config: Config, server: Server, token: Token) => Promise<AskedServer>;
  readonly readState: (config: Config) => ReturnType<SnapshotDeps['readState']>;
  readonly readPauses: (config: Config) => readonly Pause[];
  /** What `status` would show. Throws when the state may not be read. */
  readonly picture: (config: Config) => Snapshot;
  /** Null stands for this user. An account that does not exist is null as well. */
  readonly lookAt: (path: string, account: string | null) => Place;
  /** The units that run a configuration. */
  readonly timers: (config: Config) => Promise<readonly TimerUnits[] | null>;
  /** What is found when the same is looked at as the service, within its sandbox; null unless this is root under systemd. */
  readonly asService: ((units: TimerUnits, config: Config) => Promise<readonly Finding[]>) | null;
  /** Lines of crontabs that start a pass. */
  readonly cronLines: () => Promise<readonly string[]>;
  /** The file that a unit hands over as the token of a server. */
  readonly tokenCredential: (unit: Unit, server: string | null) => string | null;
  readonly startedPaths: (unit: Unit) => readonly string[];
  readonly exists: (path: string) => boolean;
  readonly realPath: (path: string) => string;
  readonly isProgram: FollowUpDeps['isProgram'];
  /** The proxy through which a server is asked; null when there is none. */
  readonly proxy: (server: Server) => Promise<string | null>;
  /** What to type for a command with this configuration. */
  readonly commandLine: (command: string) => string;
  /** A remedy whose commands are for this configuration: it was named, or is a file that root would not find. */
  readonly remedy: (fix: string) => string;
  readonly print: (text: string) => void;
}

export interface DoctorOptions {
  readonly json?: boolean;
  /** It was started as the service by another doctor, which looks at the timer itself. */
  readonly asService?: boolean;
}

/** Prints a line for each check as it finishes. Answers exit 1 when one failed. */
export async function doctor(deps: DoctorDeps, options: DoctorOptions): Promise<ExitCode> {
  const findings: Finding[] = [];
  for await (const found of examine(deps, options)) {
    const looked = isMended(found, findings) ? mended(found) : found;
    const finding = { ...looked, fix: looked.fix === null ? null : deps.remedy(looked.fix) };
    findings.push(finding);
    if (!options.json) deps.print(findingText(finding));
  }
  const failed = findings.filter(({ status }) => status === 'failed').length;
  if (options.json) {
    deps.print(`${jsonText({ schemaVersion: 1, version: deps.version, failed, findings }, 2)}\n`);
  } else {
    deps.print(failed === 0 ? '\nEverything that a pass needs is there.\n' : `\n${failed} failed.\n`);
    const isNew = findings.some(({ check, status }) => check === 'last pass' && status === 'note');
    if (failed === 0 && isNew) deps.print(`\nNext: ${deps.commandLine('dispatch --dry-run')}\n`);
  }
  return failed === 0 ? EXIT.ok : EXIT.failure;
}

// The last pass failed, but everything that it needs is there: what it stumbled over is history.
function isMended({ check, status }: Finding, before: readonly Finding[]): boolean {
  return check === 'last pass' && status === 'failed' && before.every((finding) => finding.status !== 'failed');
}

function mended({ check, message }: Finding): Finding {
  return { check, status: 'warning', message: `${message}; nothing of that is found now`, fix: 'dispatcher' };
}

async function* examine(deps: DoctorDeps, { asService = false }: DoctorOptions): AsyncGenerator<Finding> {
  yield ok('node', `${deps.node}, dispatcher ${deps.version}`);
  if (!deps.hasHome) {
    yield note(
      'home',
      `user ${deps.userName} has no home folder, and HOME is not set: unless it is named, a configuration is looked for in this folder and in /etc/dispatcher alone`,
    );
  }
  let config: Config;
  try {
    config = deps.loadConfig();
  } catch (error) {
    yield failed('configuration', error, 'dispatcher init');
    yield { check: 'everything else', status: 'skipped', message: 'needs a configuration', fix: null };
    return;
  }
  const units = asService ? null : await deps.timers(config);
  const system = units?.find(({ scope, service }) => scope === 'system' && service['LoadState'] === 'loaded');
  // Root may read and write everything: what root finds says nothing of the service.
  if (system && deps.asService) yield* throughTheEyesOf(deps, config, system);
  else yield* needs(deps, config, units);
  if (asService) return;
  yield* timerFindings({ units, cron: await deps.cronLines() }, deps, hasRun(deps, config));
  yield await dashboardFinding(deps, config.dashboard);
}

async function* needs(deps: DoctorDeps, config: Config, units: readonly TimerUnits[] | null): AsyncGenerator<Finding> {
  yield ok('configuration', config.file ?? 'from the environment');
  yield* templateFindings(deps, config);
  const credentialOf = ({ name, tokenFile }: Server): string | null => {
    const files = tokenFile === null ? units?.map(({ service }) => deps.tokenCredential(service, name)) : [];
    return files?.find((file) => file !== null) ?? null;
  };
  yield* serverFindings(deps, config, credentialOf);
  const runsAs = units?.find(({ service }) => service['LoadState'] === 'loaded' && service['User'])?.service['User'];
  yield* placeFindings(deps.lookAt, config, { account: runsAs ?? null, userName: deps.userName });
  yield* agentRightsFindings(config, runsAs || deps.userName, deps);
  yield* agentFolderFindings(config, !runsAs || runsAs === deps.userName, deps);
  yield* stateFindings(deps, config);
  yield* storeFindings(deps, config);
  yield* taskFindings(() => deps.picture(config), deps.now());
}

async function* throughTheEyesOf(deps: DoctorDeps, config: Config, units: TimerUnits): AsyncGenerator<Finding> {
  const user = units.service['User'] || 'root';
  yield note('seen as', `${user}, within ${units.base}.service: what follows is what the service finds`);
  try {
    for (const finding of (await deps.asService?.(units, config)) ?? []) if (finding.check !== 'node') yield finding;
  } catch (error) {
    yield failed('service', error, `journalctl -u ${units.base} -n 20`);
  }
}
