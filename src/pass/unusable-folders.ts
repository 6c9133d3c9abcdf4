import type { Candidate } from '../core/issue/candidate.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** What should be said of agents whose folder cannot be used: once for each, not for each of their issues. */
export function unusableFolders({ config, tasks }: DispatchDeps, candidates: readonly Candidate[]): readonly string[] {
  const agents = new Set(candidates.map(({ agent }) => agent));
  return [...agents].flatMap((agent) => {
    const trouble = config.agents === null || config.agents.has(agent) ? tasks.trouble(agent) : null;
    return trouble === null ? [] : [`nothing is dispatched to ${agent}: ${trouble}`];
  });
}
