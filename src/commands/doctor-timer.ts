import type { Finding } from '../core/health/finding.ts';
import type { TimerUnits, Unit } from '../io/systemd.ts';

interface TimerDeps {
  readonly script: string;
  readonly exists: (path: string) => boolean;
  readonly realPath: (path: string) => string;
  readonly startedPaths: (unit: Unit) => readonly string[];
}

interface Starters {
  /** Null: no systemd answers. */
  readonly units: readonly TimerUnits[] | null;
  /** Lines of crontabs that start a pass. */
  readonly cron: readonly string[];
}

/** What is to say of whatever starts the passes. */
export function* timerFindings({ units, cron }: Starters, deps: TimerDeps, isNeeded: boolean): Generator<Finding> {
  const [line] = cron;
  if (line !== undefined) yield cronFinding(line, units ?? []);
  else if (units === null) {
    yield {
      check: 'timer',
      status: 'skipped',
      message:
        'no systemd answers here; something else must start a pass every minute (cron: README, "Run it every minute")',
      fix: null,
    };
  } else if (units.length === 0) {
    yield {
      check: 'timer',
      status: isNeeded ? 'failed' : 'note',
      message: 'not installed: nothing starts a pass by itself',
      fix: 'sudo dispatcher systemd install --now (or, for your own user: dispatcher systemd install --user --now)',
    };
  }
  for (const each of units ?? []) {
    yield timerFinding(each);
    yield* serviceFindings(each, deps);
  }
}

function cronFinding(line: string, units: readonly TimerUnits[]): Finding {
  const running = units.find(({ timer }) => timer['ActiveState'] === 'active');
  if (!running) return { check: 'timer', status: 'ok', message: `cron starts the passes: ${line}`, fix: null };
  return {
    check: 'timer',
    status: 'warning',
    message: `cron starts passes as well as ${running.base}.timer: ${line}`,
    fix: 'crontab -e   (take that line out; or: dispatcher systemd uninstall)',
  };
}

function timerFinding({ scope, base, timer }: TimerUnits): Finding {
  const fix = `${scope === 'user' ? 'systemctl --user' : 'sudo systemctl'} enable --now ${base}.timer`;
  const which = base === 'dispatcher' ? `the timer of the ${scope}` : `${base}.timer of the ${scope}`;
  if (timer['LoadState'] !== 'loaded') {
    return { check: 'timer', status: 'failed', message: `the ${scope} has a ${base}.service but no timer`, fix };
  }
  if (timer['ActiveState'] !== 'active') {
    return { check: 'timer', status: 'failed', message: `${which} is stopped`, fix };
  }
  if (timer['UnitFileState'] !== 'enabled') {
    const message = `${which} runs, but does not start with the machine`;
    return { check: 'timer', status: 'warning', message, fix };
  }
  return { check: 'timer', status: 'ok', message: `${which} is active and enabled`, fix: null };
}

function* serviceFindings({ scope, base, service }: TimerUnits, deps: TimerDeps): Generator<Finding> {
  const fix = `dispatcher systemd install${scope === 'user' ? ' --user' : ''}   (writes the paths of this installation)`;
  const paths = deps.startedPaths(service);
  const missing = paths.find((path) => !deps.exists(path));
  if (missing !== undefined) {
    yield { check: 'unit', status: 'failed', message: `the unit starts ${missing}, which does not exist`, fix };
    return;
  }
  const [, script] = paths;
  if (script !== undefined && deps.realPath(script) !== deps.script) {
    yield { check: 'unit', status: 'warning', message: `the unit starts another installation: ${script}`, fix };
  }
  const dropIns = service['DropInPaths'] ?? '';
  if (dropIns !== '') {
    yield { check: 'unit', status: 'note', message: `${base}.service is changed by ${dropIns}`, fix: null };
  }
  const { Result = 'success', ExecMainStatus = '0' } = service;
  if (Result !== 'success') {
    yield {
      check: 'unit',
      status: 'failed',
      message: `the last start of the service failed (${Result}, status ${ExecMainStatus})`,
      fix: `journalctl ${scope === 'user' ? '--user-unit' : '-u'} ${base} -n 20`,
    };
  }
}
