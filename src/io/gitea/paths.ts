// Paths below /api/v1 that several questions share.

/** The path of a repository. */
export function repositoryPath(repository: string): string {
  return `/repos/${repository.split('/').map(encodeURIComponent).join('/')}`;
}

/** The path of an issue. */
export function issuePath({ repository, number }: { readonly repository: string; readonly number: number }): string {
  return `${repositoryPath(repository)}/issues/${number}`;
}
