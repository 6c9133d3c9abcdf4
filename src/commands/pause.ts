import { type Instant, shortDuration, toRfc3339 } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { LogEvent } from '../core/health/log-event.ts';
import type { Store } from '../core/store/store.ts';
import { activePauses, type Pause, pauseText } from '../core/state/pause.ts';
import { isSafeFolderName } from '../core/task/file-name.ts';
import { cleanLine } from '../core/task/untrusted.ts';

export interface PauseOptions {
  readonly agent?: string;
  readonly reason?: string;
  /** Milliseconds. */
  readonly for?: number;
}

export interface PauseDeps {
  readonly config: Pick<Config, 'agents'>;
  readonly now: () => Instant;
  /** The person at the keyboard. */
  readonly user: string | null;
  readonly store: Pick<Store, 'pauses' | 'pause' | 'resume' | 'close'>;
  readonly log: (event: LogEvent) => void;
  readonly print: (text: string) => void;
}

/** Holds all dispatches, or those to one agent, until `resume` or for a time. */
export async function pause(deps: PauseDeps, options: PauseOptions): Promise<ExitCode> {
  const now = deps.now();
  const order: Pause = {
    agent: agentOf(deps, options.agent),
    at: toRfc3339(now),
    by: deps.user,
    reason: cleanLine(options.reason ?? '', 200) || null,
    until: options.for === undefined ? null : toRfc3339(now + options.for),
  };
  try {
    await deps.store.pause(order);
  } finally {
    await deps.store.close();
  }
  const end = options.for === undefined ? '' : `, for ${shortDuration(options.for)}`;
  deps.log({ name: 'PAUSED', message: `${pauseText(order)}${end}` });
  return EXIT.ok;
}

/** Takes a pause back: that of one agent, or all of them. */
export async function resume(deps: PauseDeps, options: Pick<PauseOptions, 'agent'>): Promise<ExitCode> {
  const agent = agentOf(deps, options.agent);
  try {
    await takeBack(deps, agent);
    return EXIT.ok;
  } finally {
    await deps.store.close();
  }
}

async function takeBack({ store, user, log, print, now }: PauseDeps, agent: string | null): Promise<void> {
  const before = await store.pauses();
  const scopes = agent === null ? [null, ...before.map((each) => each.agent)] : [agent];
  const removed: (string | null)[] = [];
  for (const scope of new Set(scopes)) if (await store.resume(scope)) removed.push(scope);
  if (removed.length === 0) {
    print(agent === null ? 'Nothing is paused.\n' : `${agent} is not paused by itself.\n`);
  } else {
    const names = removed.map((scope) => scope ?? 'everything').join(', ');
    log({ name: 'RESUMED', message: `${names}${user === null ? '' : ` by ${user}`}` });
  }
  const still = activePauses(await store.pauses(), now()).find((each) => each.agent === null || each.agent === agent);
  if (still) print(`Still paused: ${pauseText(still)}. To resume everything: dispatcher resume\n`);
}

function agentOf({ config }: PauseDeps, login: string | undefined): string | null {
  if (login === undefined) return null;
  const agent = login.toLowerCase();
  if (config.agents ? config.agents.has(agent) : isSafeFolderName(agent)) return agent;
  throw new UserError(`there is no agent ${cleanLine(agent, 100)}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: config.agents ? `configured: ${[...config.agents.keys()].join(', ')}` : 'name the login as on Gitea',
  });
}
