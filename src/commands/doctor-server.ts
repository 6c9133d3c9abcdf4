// What the server says: token, version, clock, repositories, agents, receipts. What a pass would ask, and some more.

import { type Instant, shortDuration } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { messageOf } from '../core/errors.ts';
import { failed, type Finding, note, ok } from '../core/health/finding.ts';
import type { Issue } from '../core/issue/issue.ts';
import type { Token } from '../io/token.ts';
import { type FollowUpDeps, followUpFindings } from './doctor-follow-ups.ts';
import type { DoctorDeps } from './doctor.ts';

const CLOCK_TOLERANCE_MS = 30_000;

/** Whether every template renders. */
export async function* templateFindings(deps: DoctorDeps, config: Config): AsyncGenerator<Finding> {
  const files = new Set([
    config.template,
    ...[...(config.agents?.values() ?? [])].flatMap(({ template }) => template ?? []),
  ]);
  for (const file of files) {
    try {
      await deps.tryTemplate(file);
      yield ok('template', file ?? 'built in');
    } catch (error) {
      yield failed('template', error, 'mend it, then: dispatcher dispatch --dry-run');
    }
  }
}

/** What the server says to the token. `credential`: the file that the unit hands over as one, or null. */
export async function* serverFindings(
  deps: DoctorDeps,
  config: Config,
  credential: string | null,
): AsyncGenerator<Finding> {
  let token: Token;
  try {
    token = deps.token(config, credential);
    const { source, warning } = token;
    yield warning === null
      ? ok('token', `from ${source}`)
      : { check: 'token', status: 'warning', message: warning, fix: warning.replace(/^.*; run: /u, '') };
  } catch (error) {
    yield credential === null
      ? failed('token', error, 'dispatcher init')
      : {
          check: 'token',
          status: 'failed',
          message: messageOf(error),
          fix: `sudo dispatcher doctor; or, when it is not there: sudo install -D -m 0600 /dev/stdin ${credential}`,
        };
    yield { check: 'server', status: 'skipped', message: 'needs a token', fix: null };
    return;
  }
  try {
    const proxy = await deps.proxy(config);
    if (proxy !== null) yield note('proxy', `Gitea is asked through ${proxy}`);
    const gitea = await deps.gitea(config, token);
    const { version, date } = await gitea.version();
    yield ok('server', `${config.url}, version ${version}`);
    yield clock(date, deps.now());
    const { issues, warnings } = await gitea.list();
    for (const message of warnings) {
      yield {
        check: 'repositories',
        status: 'failed',
        message,
        fix: "check gitea.repositories, and that the token's user may see it",
      };
    }
    yield ok('issues', `${issues.length} open in ${config.repositories.length} of gitea.repositories can be read`);
    yield* agents(config, issues);
    const receipts = async (): ReturnType<FollowUpDeps['receipts']> => gitea.receipts(issues);
    yield* followUpFindings(config, { receipts, isProgram: deps.isProgram });
    const { reaction, label, comment } = config.receipt;
    if (reaction === null && label === null && !comment && (await gitea.mayMore())) {
      yield note('token', 'it may do more than a pass needs: one with the scope read:issue alone is enough');
    }
  } catch (error) {
    yield failed('server', error, 'check gitea.url, and that this machine reaches it');
  }
}

function clock(date: Instant | null, now: Instant): Finding {
  if (date === null)
    return { check: 'clock', status: 'skipped', message: 'the server does not tell its time', fix: null };
  const off = Math.abs(now - date);
  return off <= CLOCK_TOLERANCE_MS
    ? ok('clock', 'agrees with the server')
    : {
        check: 'clock',
        status: 'warning',
        message: `this machine is ${shortDuration(off)} ${now > date ? 'ahead of' : 'behind'} the server`,
        fix: 'sudo timedatectl set-ntp true',
      };
}

// Asking for users would need another scope; who is assigned to something exists.
function* agents(config: Config, issues: readonly Issue[]): Generator<Finding> {
  if (config.agents === null) {
    yield note('agents', 'not configured: every assignee is an agent');
    return;
  }
  const assignees = new Set(issues.flatMap((issue) => issue.assignees.map((login) => login.toLowerCase())));
  const strangers = [...assignees].filter((login) => !config.agents?.has(login));
  for (const agent of config.agents.keys()) {
    if (assignees.has(agent)) yield ok('agent', `${agent} has open issues`);
    else {
      const others = strangers.length > 0 ? `; assignees that are no agents: ${strangers.slice(0, 10).join(', ')}` : '';
      yield note('agent', `no open issue is assigned to ${agent}: assign one, or check the spelling${others}`);
    }
  }
}
