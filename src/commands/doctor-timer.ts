import type { Finding } from '../core/health/finding.ts';
import type { TimerUnits, Unit } from '../io/systemd.ts';

interface TimerDeps {
  readonly script: string;
  readonly exists: (path: string) => boolean;
  readonly realPath: (path: string) => string;
  readonly startedPaths: (unit: Unit) => readonly string[];
}

/** What is to say of the timer and the service that it starts. `units` null: no systemd answers here. */
export function* timerFindings(
  units: readonly TimerUnits[] | null,
  deps: TimerDeps,
  isNeeded: boolean,
): Generator<Finding> {
  if (units === null) {
    yield {
      check: 'timer',
      status: 'skipped',
      message:
        'no systemd answers here; something else must start a pass every minute (cron: README, "Run it every minute")',
      fix: null,
    };
    return;
  }
  if (units.length === 0) {
    yield {
      check: 'timer',
      status: isNeeded ? 'failed' : 'note',
      message: 'not installed: nothing starts a pass by itself',
      fix: 'sudo dispatcher systemd install --now (or, for your own user: dispatcher systemd install --user --now)',
    };
    return;
  }
  for (const { scope, timer, service } of units) {
    const systemctl = scope === 'user' ? 'systemctl --user' : 'sudo systemctl';
    yield timerFinding(timer, scope, systemctl);
    yield* serviceFindings(service, scope, deps);
  }
}

function timerFinding(timer: Unit, scope: string, systemctl: string): Finding {
  const fix = `${systemctl} enable --now dispatcher.timer`;
  if (timer['LoadState'] !== 'loaded') {
    return { check: 'timer', status: 'failed', message: `the ${scope} has a dispatcher.service but no timer`, fix };
  }
  if (timer['ActiveState'] !== 'active') {
    return { check: 'timer', status: 'failed', message: `the timer of the ${scope} is stopped`, fix };
  }
  if (timer['UnitFileState'] !== 'enabled') {
    return {
      check: 'timer',
      status: 'warning',
      message: `the timer of the ${scope} runs, but does not start with the machine`,
      fix,
    };
  }
  return { check: 'timer', status: 'ok', message: `the timer of the ${scope} is active and enabled`, fix: null };
}

function* serviceFindings(service: Unit, scope: string, deps: TimerDeps): Generator<Finding> {
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
  const { Result = 'success', ExecMainStatus = '0' } = service;
  if (Result !== 'success') {
    const journal = scope === 'user' ? 'journalctl --user-unit dispatcher -n 20' : 'journalctl -u dispatcher -n 20';
    yield {
      check: 'unit',
      status: 'failed',
      message: `the last start of the service failed (${Result}, status ${ExecMainStatus})`,
      fix: journal,
    };
  }
}
