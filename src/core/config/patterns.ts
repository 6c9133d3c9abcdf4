// Which repositories are configured.

import { nameOn, splitServer } from './servers.ts';

export interface RepositoryPattern {
  readonly owner: string;
  /** Null stands for all of the owner's repositories. */
  readonly name: string | null;
  /** The name of its server, where there are several. */
  readonly server?: string;
}

/** Whether an issue's repository is one of those configured. Gitea names do not tell upper from lower case. */
export function coversRepository(patterns: readonly RepositoryPattern[], repository: string): boolean {
  const { server, rest } = splitServer(repository.toLowerCase());
  const [owner = '', name = ''] = rest.split('/');
  return patterns.some(
    (p) =>
      (p.server ?? null) === server &&
      p.owner.toLowerCase() === owner &&
      (p.name === null || p.name.toLowerCase() === name),
  );
}

/** True when every issue comes from one repository, so that its number alone names it. */
export function isSingle(patterns: readonly RepositoryPattern[]): boolean {
  return patterns.length === 1 && patterns[0]?.name !== null;
}

/** The repositories that are configured by name, as they are called here. */
export function namedRepositories(patterns: readonly RepositoryPattern[]): readonly string[] {
  return patterns.filter(({ name }) => name !== null).map((pattern) => patternText(pattern));
}

/** A pattern as it is written, with its server in front where there are several. */
export function patternText({ owner, name, server }: RepositoryPattern): string {
  return nameOn(server ?? null, `${owner}/${name ?? '*'}`);
}

/** `owner/name`, or `owner/*` for all of an owner. */
export function parsePattern(pattern: string): RepositoryPattern {
  const [owner = '', name = ''] = pattern.split('/');
  return { owner, name: name === '*' ? null : name };
}

/**
 * The pattern of task files with what it does not tell apart as folders in front of it: with several repositories two issues can have
 * one number, with several owners two repositories one name, and with several servers two owners.
 */
export function taskFilePattern(pattern: string, repositories: readonly RepositoryPattern[]): string {
  const isServerMissing = repositories.some(({ server }) => server !== undefined) && !pattern.includes('{server}');
  return `${isServerMissing ? '{server}/' : ''}${patternOnServer(pattern, repositories)}`;
}

function patternOnServer(pattern: string, repositories: readonly RepositoryPattern[]): string {
  if (isSingle(repositories)) return pattern;
  const owners = new Set(repositories.map(({ owner }) => owner.toLowerCase()));
  const isOwnerMissing = owners.size > 1 && !pattern.includes('{owner}');
  return pattern.includes('{repo}') ? `${isOwnerMissing ? '{owner}/' : ''}${pattern}` : `{owner}/{repo}/${pattern}`;
}
