// What the server says: token, version, clock, repositories, agents, receipts. What a pass would ask, and some more.

import { type Instant, shortDuration } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { type Server, settingName } from '../core/config/servers.ts';
import { messageOf } from '../core/errors.ts';
import { failed, type Finding, note, ok } from '../core/health/finding.ts';
import type { Issue } from '../core/issue/issue.ts';
import { shellWord } from '../core/shell-word.ts';
import type { Token } from '../io/token.ts';
import { followUpFindings, receiptFindings, type ReceiptRights } from './doctor-follow-ups.ts';
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

/** A server as it answers to a token. */
export interface AskedServer {
  /** The server's version, and its clock. */
  readonly version: () => Promise<{ readonly version: string; readonly date: Instant | null }>;
  readonly list: () => Promise<{ readonly issues: readonly Issue[]; readonly warnings: readonly string[] }>;
  /** Whether the token may do what no pass needs. */
  readonly mayMore: () => Promise<boolean>;
  readonly receipts: (issues: readonly Issue[]) => Promise<ReceiptRights>;
}

interface Reached {
  readonly server: Server;
  readonly asked: AskedServer;
  readonly issues: readonly Issue[];
}

/** What each server says to its token. `credentialOf`: the file that the unit hands over as one, or null. */
export async function* serverFindings(
  deps: DoctorDeps,
  config: Config,
  credentialOf: (server: Server) => string | null,
): AsyncGenerator<Finding> {
  const reached: Reached[] = [];
  for (const server of config.servers)
    yield* named(
      server,
      unlessFailed(server, reach(deps, config, { server, credential: credentialOf(server), reached })),
    );
  if (reached.length === 0) return;
  yield* agents(
    config,
    reached.flatMap(({ issues }) => issues),
  );
  const { reaction, label, comment } = config.receipt;
  const isReceipt = reaction !== null || label !== null || comment;
  for (const { server, asked, issues } of isReceipt ? reached : [])
    yield* named(
      server,
      unlessFailed(
        server,
        receiptFindings(config, async () => asked.receipts(issues)),
      ),
    );
  yield* followUpFindings(config, deps);
  for (const { server, asked } of isReceipt ? [] : reached) yield* named(server, unlessFailed(server, rights(asked)));
}

// Of several, each finding says of which it is.
async function* named({ name }: Server, findings: AsyncIterable<Finding>): AsyncGenerator<Finding> {
  for await (const finding of findings) {
    yield name === null ? finding : { ...finding, message: `${name}: ${finding.message}` };
  }
}

async function* unlessFailed({ name }: Server, findings: AsyncIterable<Finding>): AsyncGenerator<Finding> {
  try {
    yield* findings;
  } catch (error) {
    yield failed('server', error, `check ${settingName(name, 'url')}, and that this machine reaches it`);
  }
}

interface Reaching {
  readonly server: Server;
  readonly credential: string | null;
  readonly reached: Reached[];
}

async function* reach(
  deps: DoctorDeps,
  config: Config,
  { server, credential, reached }: Reaching,
): AsyncGenerator<Finding> {
  let token: Token;
  try {
    token = deps.token(server, credential);
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
          fix: `sudo dispatcher doctor; or, when it is not there: sudo install -D -m 0600 /dev/stdin ${shellWord(credential)}`,
        };
    yield { check: 'server', status: 'skipped', message: 'needs a token', fix: null };
    return;
  }
  const proxy = await deps.proxy(server);
  if (proxy !== null) yield note('proxy', `Gitea is asked through ${proxy}`);
  const asked = await deps.gitea(config, server, token);
  const { version, date } = await asked.version();
  yield ok('server', `${server.url}, version ${version}`);
  yield clock(date, deps.now());
  const { issues, warnings } = await asked.list();
  const key = settingName(server.name, 'repositories');
  for (const message of warnings) {
    yield {
      check: 'repositories',
      status: 'failed',
      message,
      fix: `check ${key}, and that the token's user may see it`,
    };
  }
  yield ok('issues', `${issues.length} open in ${server.repositories.length} of ${key} can be read`);
  reached.push({ server, asked, issues });
}

async function* rights({ mayMore }: AskedServer): AsyncGenerator<Finding> {
  if (await mayMore())
    yield note('token', 'it may do more than a pass needs: one with the scope read:issue alone is enough');
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
  if (config.agents.size === 0 && config.store === null) {
    yield {
      check: 'agents',
      status: 'warning',
      message: 'the group agents names nobody, so nothing is dispatched to anybody',
      fix: 'name their logins below agents, or take it out of the configuration: then every assignee is one',
    };
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
