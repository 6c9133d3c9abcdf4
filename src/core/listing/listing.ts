import type { Issue } from '../issue/issue.ts';

/** Open issues, and what the user should know although the pass goes on. */
export interface Listing {
  /** Of everything that could be read. */
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
  /** Whether a repository could not be read this time: that its issues are missing says nothing about them. */
  readonly isUnread: (repository: string) => boolean;
}
