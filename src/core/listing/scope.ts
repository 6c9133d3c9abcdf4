import type { RepositoryPattern } from '../config/patterns.ts';

/** What is listed in one go: all of an owner's, or a repository where only one of an owner is wanted. */
export interface Scope {
  readonly name: string;
  /** Below `/api/v1`, up to where its parameters begin. */
  readonly path: string;
  readonly patterns: readonly RepositoryPattern[];
  /** The repository that elements without one belong to. */
  readonly repository: string | null;
  /** Whether a repository is configured by its own name. */
  readonly isNamed: (repository: string) => boolean;
}

/** One scope for each owner. */
export function scopesOf(patterns: readonly RepositoryPattern[]): readonly Scope[] {
  const owners = [...new Set(patterns.map((pattern) => pattern.owner.toLowerCase()))];
  return owners.map((ownerName) => {
    const group = patterns.filter((pattern) => pattern.owner.toLowerCase() === ownerName);
    const owner = group[0]?.owner ?? '';
    const names = new Set(group.map((pattern) => pattern.name?.toLowerCase() ?? null));
    const isNamed = (repository: string): boolean =>
      group.some(({ name }) => name !== null && `${owner}/${name}`.toLowerCase() === repository.toLowerCase());
    const lone = names.size === 1 ? (group[0]?.name ?? null) : null;
    return lone === null
      ? {
          name: group.map((pattern) => `${owner}/${pattern.name ?? '*'}`).join(', '),
          path: `/repos/issues/search?owner=${encodeURIComponent(owner)}&`,
          patterns: group,
          repository: null,
          isNamed,
        }
      : {
          name: `${owner}/${lone}`,
          path: `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(lone)}/issues?`,
          patterns: group,
          repository: `${owner}/${lone}`,
          isNamed,
        };
  });
}
