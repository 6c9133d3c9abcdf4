import type { Config } from '../core/config/config.ts';
import type { Candidate } from '../core/issue/candidate.ts';

/** What should be said of agents whose folder cannot be used: once for each, not for each of their issues. */
export function unusableFolders(
  { agents }: Pick<Config, 'agents'>,
  candidates: readonly Candidate[],
  troubleOf: (agent: string) => string | null,
): readonly string[] {
  const names = new Set(candidates.map(({ agent }) => agent));
  return [...names].flatMap((agent) => {
    const trouble = agents === null || agents.has(agent) ? troubleOf(agent) : null;
    return trouble === null ? [] : [`nothing is dispatched to ${agent}: ${trouble}`];
  });
}
