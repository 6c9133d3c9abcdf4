import { type Issue, refOf } from '../issue/issue.ts';
import type { ErrorRecord } from '../errors.ts';
import type { MovedPull } from '../issue/pull-feedback.ts';

/** Open issues, and what the user should know although the pass goes on. */
export interface Listing {
  /**
   * The assigned ones, of everything that could be read. None while a first listing is not at its end: a more urgent one may
   * come. Made when first asked for.
   */
  readonly issues: readonly Issue[];
  /** Those of them with these ids, on any server, without making all the others. */
  readonly find?: (ids: ReadonlySet<number>) => readonly Issue[];
  readonly warnings: readonly string[];
  /** The pull requests that moved, where that was asked. `isUntold`: this listing cannot tell of those of a repository. */
  readonly pulls?: { readonly moved: readonly MovedPull[]; readonly isUntold: (repository: string) => boolean };
  /** Whether a repository is not listed this time: that its issues are missing says nothing about them. */
  readonly isUnread: (repository: string) => boolean;
  /** Whether something that is configured is not listed this time. */
  readonly isPartial?: boolean;
  /** A text that is another one when any of this is. Undefined: nobody can tell. */
  readonly stamp?: string | undefined;
  /** Of several servers: which answered, and why one did not. */
  readonly answers?: readonly ServerAnswer[];
}

/** Whether a server could be read. */
interface ServerAnswer {
  readonly server: string;
  /** Null: it could. */
  readonly error: ErrorRecord | null;
}

/**
 * How to list. `keep`: by what changed, and to remember it, under the lock. `look`: the same, and nothing is written. `all`:
 * every open issue, unassigned ones too, from the beginning.
 */
export type ListingMode = 'keep' | 'look' | 'all';

/** Answers whether a listing shows an issue, such as `acme/app#5`, as open, in whatever case people write it. */
export function listedIn(listing: Pick<Listing, 'issues'>): (ref: string) => boolean {
  let refs: ReadonlySet<string> | undefined;
  return (ref) => (refs ??= new Set(listing.issues.map((issue) => refOf(issue).toLowerCase()))).has(ref.toLowerCase());
}
