// What a good colleague would look up about an issue before starting, beyond the issue itself.

/** A pull request that mentions an issue. */
export interface PullRequest {
  readonly ref: string;
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly state: 'open' | 'merged' | 'closed';
  /** Whether merging it closes the issue. */
  readonly closes: boolean;
  readonly url: string;
}

export interface Review {
  readonly author: string;
  readonly at: number;
  /** `APPROVED`, `REQUEST_CHANGES`, `COMMENT` or another word of the server. */
  readonly state: string;
  readonly body: string;
}

/** An issue that the text refers to, as it is now. */
export interface Reference {
  readonly ref: string;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly author: string;
  readonly createdAt: number;
  readonly body: string;
  readonly url: string;
}

interface TitleChange {
  readonly by: string;
  readonly at: number;
  readonly from: string;
  readonly to: string;
}

/** What the server says of an issue's repository. */
export interface RepositoryFacts {
  readonly defaultBranch: string | null;
  /** Nobody can comment, push or close an issue there. */
  readonly isArchived: boolean;
  /** Why it could not be read; null: it was, or is not wanted. */
  readonly unread: string | null;
}

/** Nothing is known of the repository. */
export const UNKNOWN_REPOSITORY: RepositoryFacts = { defaultBranch: null, isArchived: false, unread: null };

/** Each part is there when it was asked for and could be read. */
export interface IssueContext {
  /** Who assigned it to the agent last, and when. */
  readonly assignment: { readonly by: string; readonly at: number } | null;
  readonly titleChanges: readonly TitleChange[];
  readonly pullRequests: readonly PullRequest[];
  /** Hashes of commits that mention it. */
  readonly commits: readonly string[];
  readonly defaultBranch: string | null;
  readonly references: readonly Reference[];
  /** Open issues that wait for this one. */
  readonly waiting: readonly { readonly ref: string; readonly title: string; readonly url: string }[];
  /** The last review of the pull request that the agent made for it before. */
  readonly review: Review | null;
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}

/** Nothing was looked up. */
export const NO_CONTEXT: IssueContext = {
  assignment: null,
  titleChanges: [],
  pullRequests: [],
  commits: [],
  defaultBranch: null,
  references: [],
  waiting: [],
  review: null,
  unread: [],
};

/** What is looked up. */
export interface ContextConfig {
  readonly timeline: boolean;
  readonly repository: boolean;
  /** So many issues that the text refers to; 0: none. */
  readonly references: number;
  readonly blocks: boolean;
  readonly lastAttempt: boolean;
}

const NAMED = /(?<![\w./-])(?:([A-Za-z0-9._-]{1,100}\/[A-Za-z0-9._-]{1,100}))?#(\d{1,9})(?![\w-])/gu;
const PATH = /^\/([A-Za-z0-9._-]{1,100}\/[A-Za-z0-9._-]{1,100})\/issues\/(\d{1,9})(?![\w/])/u;

/** The issues that a text names, as `#12`, `acme/app#12` or by their address, in their order, each once. */
export function referencesIn(text: string, repository: string, serverUrl: string): readonly Place[] {
  const found: { readonly at: number; readonly place: Place }[] = [];
  const note = (at: number, name: string, number: string): void =>
    void found.push({ at, place: { repository: name, number: Number(number) } });
  for (const match of text.matchAll(NAMED)) note(match.index, match[1] ?? repository, match[2] ?? '');
  for (let at = text.indexOf(serverUrl); at >= 0; at = text.indexOf(serverUrl, at + 1)) {
    const [, name, number] = PATH.exec(text.slice(at + serverUrl.length, at + serverUrl.length + 250)) ?? [];
    if (name !== undefined && number !== undefined) note(at, name, number);
  }
  const places = found.toSorted((a, b) => a.at - b.at).map(({ place }) => place);
  const keys = places.map((place) => `${place.repository.toLowerCase()}#${place.number}`);
  return places.filter(({ number }, index) => number > 0 && keys.indexOf(keys[index] ?? '') === index);
}

export interface Place {
  readonly repository: string;
  readonly number: number;
}
