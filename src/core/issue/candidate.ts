import type { Config } from '../config/config.ts';
import { serverWith, taskKey } from './identity.ts';
import type { Issue } from './issue.ts';
import { type RatedPriority, rank, ratePriority } from './priority.ts';

/** One issue for one agent: what becomes one task. */
export interface Candidate extends RatedPriority {
  /** Names the task in the state file, whatever the repository is called later: see `taskKey`. */
  readonly key: string;
  readonly issue: Issue;
  /** Lower-cased login. It may still be unfit to be a folder name. */
  readonly agent: string;
}

type Naming = Pick<Config, 'priorityLabels' | 'servers'>;

/** One candidate for each issue and assignee, in no particular order. */
export function candidatesOf(issues: readonly Issue[], config: Naming): readonly Candidate[] {
  return issues.flatMap((issue) => issue.assignees.map((login) => candidateFor(issue, login, config)));
}

/** The candidate for one issue and one login. */
export function candidateFor(issue: Issue, login: string, config: Naming): Candidate {
  const agent = login.toLowerCase();
  return {
    key: taskKey(serverWith(config, issue.repository), issue.id, agent),
    issue,
    agent,
    ...ratePriority(issue.labels, issue.title, config.priorityLabels),
  };
}

/** Orders candidates: most urgent, then oldest, then repository, number and agent. No two different ones are equal. */
export function byUrgency(a: Candidate, b: Candidate): number {
  return (
    rank(a.priority) - rank(b.priority) ||
    a.issue.createdAt - b.issue.createdAt ||
    compareText(a.issue.repository, b.issue.repository) ||
    a.issue.number - b.issue.number ||
    compareText(a.agent, b.agent) ||
    a.issue.id - b.issue.id
  );
}

// By code unit, not by locale: the order must not depend on the machine's language.
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
