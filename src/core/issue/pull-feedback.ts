// What people and machines say of a pull request.

import type { Instant } from '../clock.ts';
import type { Comment } from './issue.ts';

/** A comment on a line of what a pull request changes. */
export interface LineComment {
  readonly id: number;
  readonly author: string;
  readonly at: Instant;
  readonly body: string;
  /** Below the repository's root. */
  readonly path: string;
  /** In the file as the pull request has it; null: the line is gone there. */
  readonly line: number | null;
  /** In the file as it was; null: the line is new. */
  readonly oldLine: number | null;
}

export interface PullReview {
  readonly id: number;
  readonly author: string;
  readonly at: Instant;
  /** `APPROVED`, `REQUEST_CHANGES`, `COMMENT` or another word of the server. */
  readonly state: string;
  readonly body: string;
  readonly url: string;
  /** How many comments on lines it has: people go on answering in them. */
  readonly count: number;
  /** Null: they were not asked for, or not yet. */
  readonly comments: readonly LineComment[] | null;
}

/** What a machine says of a commit. */
export interface Check {
  readonly name: string;
  readonly state: 'failed' | 'pending' | 'passed';
  readonly description: string;
  readonly url: string | null;
}

/** A pull request as it is now. */
export interface PullFeedback {
  readonly title: string;
  readonly author: string;
  readonly isOpen: boolean;
  readonly url: string;
  readonly updatedAt: Instant;
  /** The branch that it is to go into; null: unknown. */
  readonly base: string | null;
  /** The commit that it ends with; null: unknown, or its branch is gone. */
  readonly head: string | null;
  /** Null: unknown, or nobody may merge it yet. False also as long as the server has not tried. */
  readonly isMergeable: boolean | null;
  /** Null: not asked for, since nothing was said since it was read last. */
  readonly talk: { readonly reviews: readonly PullReview[]; readonly comments: readonly Comment[] } | null;
  readonly checks: readonly Check[];
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}

/** A pull request that moved, as a listing shows it. */
export interface MovedPull {
  readonly repository: string;
  readonly number: number;
  readonly updatedAt: Instant;
  readonly isOpen: boolean;
}
