// What the fake server knows, and how it changes. Which change moves `updated_at` follows Gitea's source.

/** What a test says about an issue; the rest is filled in. */
export interface IssueSeed {
  readonly repository: string;
  readonly number?: number;
  readonly title?: string;
  readonly body?: string;
  readonly author?: string;
  readonly assignees?: readonly string[];
  readonly labels?: readonly string[];
  readonly state?: 'open' | 'closed';
  readonly milestone?: string | null;
  /** A day: `2026-04-30`. */
  readonly due?: string | null;
  readonly pullRequest?: boolean;
  readonly createdAt?: Date;
  readonly comments?: readonly CommentSeed[];
  readonly attachments?: readonly { readonly name: string; readonly size: number }[];
  /** Who assigned whom, by login; as the timeline tells it. Nothing: assigned when it was opened. */
  readonly assignedBy?: Readonly<Record<string, string>>;
  /** When that was. Default: when it was opened. */
  readonly assignedAt?: Date;
  /** `acme/api#3`: what blocks it. */
  readonly dependsOn?: readonly string[];
  /** Its branch or tag, as the page sets it: `refs/heads/x`. */
  readonly ref?: string;
  readonly titleChanges?: readonly {
    readonly by: string;
    readonly from: string;
    readonly to: string;
    readonly at: Date;
  }[];
  /** Pull requests that mention it. */
  readonly mentionedBy?: readonly { readonly ref: string; readonly closes: boolean }[];
  /** Hashes of commits that mention it. */
  readonly commits?: readonly string[];
  /** Of a pull request. */
  readonly merged?: boolean;
  readonly reviews?: readonly ReviewSeed[];
  readonly draft?: boolean;
  /** Whether the server could merge it, as far as it knows: false as long as it has not tried, too. */
  readonly mergeable?: boolean;
  readonly base?: string;
  /** The commit that it ends with. Default: one of its own. */
  readonly head?: string;
}

export interface ReviewSeed {
  readonly author: string;
  /** `PENDING`: being written, and seen by its author and by administrators alone. */
  readonly state: string;
  readonly body: string;
  /** When it was begun; default: now. */
  readonly at?: Date;
  readonly dismissed?: boolean;
  readonly comments?: readonly LineSeed[];
}

export interface LineSeed {
  readonly author: string;
  readonly body: string;
  readonly path: string;
  /** In the new file; 0: in the old one. */
  readonly line: number;
  readonly oldLine?: number;
}

export interface StoredLine extends Required<LineSeed> {
  readonly id: number;
  readonly at: Date;
}

export interface StoredReview extends Required<Omit<ReviewSeed, 'comments'>> {
  readonly id: number;
  readonly comments: readonly StoredLine[];
  readonly updatedAt: Date;
}

/** The newest word of a check on a commit. */
export interface StoredStatus {
  readonly repository: string;
  readonly sha: string;
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error' | 'warning';
  readonly description: string;
}

export interface CommentSeed {
  readonly author: string;
  readonly body: string;
  readonly createdAt?: Date;
  /** When it was edited last. Default: never. */
  readonly updatedAt?: Date;
  readonly attachments?: readonly { readonly name: string; readonly size: number }[];
}

export interface StoredComment extends Required<CommentSeed> {
  readonly id: number;
}

export interface StoredIssue extends Required<Omit<IssueSeed, 'comments' | 'assignedAt' | 'reviews'>> {
  readonly reviews: readonly StoredReview[];
  readonly assignedAt: Date;
  readonly id: number;
  /** By whom and what. */
  readonly reactions: readonly string[];
  readonly updatedAt: Date;
  readonly comments: readonly StoredComment[];
}

export interface StoredRepository {
  readonly id: number;
  readonly name: string;
  /** False: the tracker is switched off. Search still shows old rows, the repository's own path answers 404. */
  readonly hasIssues: boolean;
  readonly defaultBranch: string;
  /** Its issues are still found by search; nobody can comment there. */
  readonly isArchived: boolean;
}

export type Store = ReturnType<typeof createStore>;

/** An empty server. `now` is its clock. */
export function createStore(now: () => Date) {
  const issues: StoredIssue[] = [];
  const statuses: StoredStatus[] = [];
  const repositories = new Map<string, StoredRepository>();
  const renamed = new Map<string, string>();
  const numbers = new Map<string, number>();
  let lastId = 0;
  let version = 0;
  const nextId = (): number => (lastId += 1);

  const addRepository = (name: string, { hasIssues = true, defaultBranch = 'main', isArchived = false } = {}): void => {
    repositories.set(name.toLowerCase(), { id: nextId(), name, hasIssues, defaultBranch, isArchived });
  };
  const find = (repository: string, number: number): StoredIssue | undefined =>
    issues.find((issue) => issue.repository.toLowerCase() === repository.toLowerCase() && issue.number === number);
  const at = (ref: string): StoredIssue => {
    const [repository = '', number] = ref.split('#');
    const issue = find(repository, Number(number));
    if (!issue) throw new Error(`the fake server has no ${ref}`);
    return issue;
  };
  const replace = (ref: string, change: (issue: StoredIssue) => StoredIssue): void => {
    const issue = at(ref);
    issues[issues.indexOf(issue)] = change(issue);
    version += 1;
  };
  const comment = (seed: CommentSeed, createdAt: Date): StoredComment => ({
    id: nextId(),
    createdAt,
    updatedAt: createdAt,
    attachments: [],
    ...seed,
  });

  const line = (seed: LineSeed): StoredLine => ({ id: nextId(), at: now(), oldLine: 0, ...seed });
  const review = ({ comments, ...seed }: ReviewSeed): StoredReview => {
    const when = seed.at ?? now();
    const lines = (comments ?? []).map((each) => ({ ...line(each), at: when }));
    return { id: nextId(), dismissed: false, ...seed, at: when, comments: lines, updatedAt: when };
  };
  const reviewed = (ref: string, id: number, change: (each: StoredReview) => StoredReview, moves: boolean): void =>
    replace(ref, (issue) => ({
      ...issue,
      reviews: issue.reviews.map((each) => (each.id === id ? change(each) : each)),
      ...(moves ? { updatedAt: now() } : {}),
    }));

  return {
    issues: issues as readonly StoredIssue[],
    repositories: repositories as ReadonlyMap<string, StoredRepository>,
    find,
    /** Another number after each change. */
    version: () => version,
    addRepository,
    /** Archives a repository, or takes it back. Moves no issue. */
    archiveRepository: (name: string, isArchived = true): void => {
      const stored = repositories.get(name.toLowerCase());
      if (!stored) throw new Error(`the fake server has no ${name}`);
      repositories.set(name.toLowerCase(), { ...stored, isArchived });
      version += 1;
    },
    /** The new name of a renamed repository, as long as nobody took the old one. */
    renamedTo: (name: string): string | undefined =>
      repositories.has(name.toLowerCase()) ? undefined : renamed.get(name.toLowerCase()),
    addIssue: (seed: IssueSeed): { readonly id: number; readonly number: number; readonly ref: string } => {
      if (!repositories.has(seed.repository.toLowerCase())) addRepository(seed.repository);
      const number = (numbers.get(seed.repository) ?? 0) + 1;
      numbers.set(seed.repository, Math.max(number, seed.number ?? number));
      version += 1;
      const createdAt = seed.createdAt ?? now();
      const issue: StoredIssue = {
        id: nextId(),
        number,
        title: 'Untitled',
        body: '',
        author: 'alice',
        assignees: [],
        labels: [],
        state: 'open',
        milestone: null,
        due: null,
        pullRequest: false,
        createdAt,
        updatedAt: createdAt,
        attachments: [],
        dependsOn: [],
        assignedBy: {},
        assignedAt: createdAt,
        ref: '',
        titleChanges: [],
        mentionedBy: [],
        commits: [],
        merged: false,
        draft: false,
        mergeable: true,
        base: 'main',
        head: String(lastId).padStart(40, 'c0ffee'),
        reactions: [],
        ...seed,
        reviews: (seed.reviews ?? []).map((each) => review(each)),
        comments: (seed.comments ?? []).map((each, index) =>
          comment(each, each.createdAt ?? new Date(createdAt.getTime() + index * 1000)),
        ),
      };
      issues.push(issue);
      return { id: issue.id, number: issue.number, ref: `${issue.repository}#${issue.number}` };
    },
    /** Title, body, labels, assignees, state, milestone and due date: all of them move `updated_at`. */
    editIssue: (
      ref: string,
      change: Partial<Omit<IssueSeed, 'repository' | 'number' | 'comments' | 'reviews' | 'mergeable'>>,
    ): void => replace(ref, (issue) => ({ ...issue, ...change, updatedAt: now() })),
    addComment: (ref: string, seed: CommentSeed): void =>
      replace(ref, (issue) => ({
        ...issue,
        comments: [...issue.comments, comment(seed, seed.createdAt ?? now())],
        updatedAt: now(),
      })),
    /** As somebody does who may delete the comments of others. */
    removeComments: (ref: string): void => replace(ref, (issue) => ({ ...issue, comments: [], updatedAt: now() })),
    /** Moves the pull request, unless it is still being written. Answers its number. */
    addReview: (ref: string, seed: ReviewSeed): number => {
      const added = review(seed);
      const isSeen = seed.state !== 'PENDING';
      replace(ref, (issue) => ({
        ...issue,
        reviews: [...issue.reviews, added],
        ...(isSeen ? { updatedAt: now() } : {}),
      }));
      return added.id;
    },
    /** Submits one that was being written: it keeps its number, and the time at which it was begun. */
    submitReview: (ref: string, id: number, state: string): void =>
      reviewed(ref, id, (each) => ({ ...each, state, updatedAt: now() }), true),
    /** An answer to a comment on a line stands in the review of that comment. */
    answerReview: (ref: string, id: number, seed: LineSeed): void =>
      reviewed(ref, id, (each) => ({ ...each, comments: [...each.comments, line(seed)] }), true),
    statuses: statuses as readonly StoredStatus[],
    /** Moves no issue and no pull request. */
    setStatus: (status: StoredStatus): void => {
      const index = statuses.findIndex(
        (each) => each.sha === status.sha && each.context === status.context && each.repository === status.repository,
      );
      statuses.splice(index < 0 ? statuses.length : index, index < 0 ? 0 : 1, status);
    },
    /** What the server found when it tried to merge. Moves nothing. */
    setMergeable: (ref: string, mergeable: boolean): void => replace(ref, (issue) => ({ ...issue, mergeable })),
    /** Idempotent; moves nothing. Answers whether it is new. */
    addReaction: (ref: string, content: string): boolean => {
      const isNew = !at(ref).reactions.includes(content);
      if (isNew) replace(ref, (issue) => ({ ...issue, reactions: [...issue.reactions, content] }));
      return isNew;
    },
    /** Does not move `updated_at`: only the comment's row is written. */
    editComment: (ref: string, index: number, body: string): void =>
      replace(ref, (issue) => ({
        ...issue,
        comments: issue.comments.map((each, i) => (i === index ? { ...each, body, updatedAt: now() } : each)),
      })),
    /** Does not move `updated_at`: raw SQL. */
    renameLabel: (from: string, to: string): void => {
      for (const { repository, number } of issues.filter((each) => each.labels.includes(from))) {
        const labels = (all: readonly string[]) => all.map((label) => (label === from ? to : label));
        replace(`${repository}#${number}`, (issue) => ({ ...issue, labels: labels(issue.labels) }));
      }
    },
    /** Does not move `updated_at`: the rows of assignees go with the user or its access. */
    removeAssignee: (login: string): void => {
      for (const { repository, number } of issues.filter((each) => each.assignees.includes(login))) {
        const without = (issue: StoredIssue) => issue.assignees.filter((each) => each !== login);
        replace(`${repository}#${number}`, (issue) => ({ ...issue, assignees: without(issue) }));
      }
    },
    deleteIssue: (ref: string): void => {
      issues.splice(issues.indexOf(at(ref)), 1);
      version += 1;
    },
    renameRepository: (from: string, to: string): void => {
      version += 1;
      const repository = repositories.get(from.toLowerCase());
      if (!repository) throw new Error(`the fake server has no ${from}`);
      repositories.delete(from.toLowerCase());
      repositories.set(to.toLowerCase(), { ...repository, name: to });
      renamed.set(from.toLowerCase(), to);
      for (const [index, issue] of issues.entries())
        if (issue.repository === from) issues[index] = { ...issue, repository: to };
    },
  };
}
