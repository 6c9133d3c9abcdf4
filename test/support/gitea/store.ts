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
  readonly reviews?: readonly {
    readonly author: string;
    readonly state: string;
    readonly body: string;
    readonly at: Date;
  }[];
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

export interface StoredIssue extends Required<Omit<IssueSeed, 'comments' | 'assignedAt'>> {
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
        reviews: [],
        reactions: [],
        ...seed,
        comments: (seed.comments ?? []).map((each, index) =>
          comment(each, each.createdAt ?? new Date(createdAt.getTime() + index * 1000)),
        ),
      };
      issues.push(issue);
      return { id: issue.id, number: issue.number, ref: `${issue.repository}#${issue.number}` };
    },
    /** Title, body, labels, assignees, state, milestone and due date: all of them move `updated_at`. */
    editIssue: (ref: string, change: Partial<Omit<IssueSeed, 'repository' | 'number' | 'comments'>>): void =>
      replace(ref, (issue) => ({ ...issue, ...change, updatedAt: now() })),
    addComment: (ref: string, seed: CommentSeed): void =>
      replace(ref, (issue) => ({
        ...issue,
        comments: [...issue.comments, comment(seed, seed.createdAt ?? now())],
        updatedAt: now(),
      })),
    /** As somebody does who may delete the comments of others. */
    removeComments: (ref: string): void => replace(ref, (issue) => ({ ...issue, comments: [], updatedAt: now() })),
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
