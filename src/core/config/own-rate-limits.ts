// The limits of agents and repositories, as the configuration file has them.

import { durationOf } from '../clock.ts';
import type { RawConfig } from './schema.ts';

/** Limits besides the one for all, in milliseconds. */
export interface OwnRateLimits {
  /** By lower-cased login. */
  readonly agents: ReadonlyMap<string, number>;
  /** By lower-cased `owner/name` or `owner/*`. */
  readonly repositories: ReadonlyMap<string, number>;
}

/** Reads them from a configuration that the schema has looked at. */
export function ownRateLimits({ agents, rateLimits }: RawConfig): OwnRateLimits {
  return {
    agents: new Map(
      Object.entries(agents ?? {}).flatMap(([login, agent]) =>
        agent?.rateLimit ? [[login.toLowerCase(), durationOf(agent.rateLimit)] as const] : [],
      ),
    ),
    repositories: new Map(
      Object.entries(rateLimits?.repositories ?? {}).map(([name, each]) => [name.toLowerCase(), durationOf(each)]),
    ),
  };
}
