// One fake Gitea for tests, demo and benchmark: stateful, over real HTTP, with the traps that its source has.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { commentJson, HIDDEN_ISSUE, issueJson, labelJson, repositoryJson, timelineJson, user } from './json.ts';
import { paging } from './paging.ts';
import { pulls } from './pulls.ts';
import { BOT, write } from './writes.ts';
import { createStore, type Store, type StoredIssue } from './store.ts';

export interface FakeGiteaOptions {
  readonly port?: number;
  /** [api] MAX_RESPONSE_ITEMS: a larger `limit` is clamped to it. */
  readonly maxResponseItems?: number;
  readonly scopes?: readonly string[];
  /** Further tokens of the same user. */
  readonly tokens?: readonly string[];
  /** Labels that a repository has, by its name. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** ROOT_URL, when an admin has set it wrong. */
  readonly rootUrl?: string;
  readonly now?: () => Date;
  /** What the Date header says instead: a proxy with a clock of its own. */
  readonly date?: () => Date;
  readonly ignoresSince?: boolean;
  /** Whether the token's account may edit what others wrote, as one that may write to the repository may. */
  readonly mayEditOthers?: boolean;
  /** What X-Total-Count says instead of the truth. */
  readonly total?: (count: number) => number;
}

/** What a request is answered with instead of the truth. */
export type Fault =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | ((request: IncomingMessage, response: ServerResponse) => void);

export interface FakeGitea extends Store {
  readonly url: string;
  readonly token: string;
  /** Every request so far, as `GET /api/v1/...`. */
  readonly requests: readonly string[];
  readonly requestHeaders: readonly IncomingMessage['headers'][];
  /** Answers matching requests with a fault, `times` times; the newest rule wins. Returns a function that takes it back. */
  readonly intercept: (match: RegExp, fault: Fault, times?: number) => () => void;
  readonly close: () => Promise<void>;
}

const TOKEN = '0123456789abcdef0123456789abcdef01234567';

/** Starts it on loopback; port 0 picks a free one. */
export async function startFakeGitea(options: FakeGiteaOptions = {}): Promise<FakeGitea> {
  const store = createStore(options.now ?? (() => new Date()));
  const requests: string[] = [];
  const requestHeaders: IncomingMessage['headers'][] = [];
  const rules: { match: RegExp; fault: Fault; left: number }[] = [];
  let url = '';
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    requestHeaders.push(request.headers);
    const date = options.date ?? options.now;
    if (date) response.setHeader('date', date().toUTCString());
    const rule = rules.findLast(({ match, left }) => left > 0 && match.test(request.url ?? ''));
    if (rule) {
      rule.left -= 1;
      return misbehave(rule.fault, request, response);
    }
    answer(
      {
        store,
        labels: new Map(Object.entries(options.labels ?? {})),
        rootUrl: options.rootUrl ?? url,
        maxItems: options.maxResponseItems ?? 50,
        scopes: options.scopes ?? ['read:issue'],
        tokens: [TOKEN, ...(options.tokens ?? [])],
        ignoresSince: options.ignoresSince ?? false,
        mayEditOthers: options.mayEditOthers ?? false,
        total: options.total ?? ((count) => count),
      },
      request,
      response,
    );
  });
  url = `http://127.0.0.1:${await listen(server, options.port ?? 0)}`;
  return {
    ...store,
    url,
    token: TOKEN,
    requests,
    requestHeaders,
    intercept: (match, fault, times = Number.POSITIVE_INFINITY) => {
      const rule = { match, fault, left: times };
      rules.push(rule);
      return () => void (rule.left = 0);
    },
    close: async () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Ways to misbehave that are more than a wrong answer. */
export const FAULTS = {
  hang: () => {},
  drip: (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(timer));
  },
  reset: (request: IncomingMessage) => void request.socket.destroy(),
  resetInMidBody: (request: IncomingMessage, response: ServerResponse) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      .write('[{"id":', () => request.socket.destroy());
  },
  overloaded: { status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>503 Service Unavailable</h1>' },
  installing: { status: 404, headers: { 'content-type': 'text/html', refresh: '1; url=/' }, body: '<p>installing</p>' },
  truncated: { headers: { 'content-type': 'application/json' }, body: '[{"id": 1, "num' },
  html: {
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!doctype html><title>Sign in</title>',
  },
} satisfies Record<string, Fault>;

export interface Context {
  readonly store: Store;
  /** Of each repository, by its lower-cased name. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly rootUrl: string;
  readonly maxItems: number;
  readonly tokens: readonly string[];
  readonly scopes: readonly string[];
  readonly ignoresSince: boolean;
  readonly mayEditOthers: boolean;
  readonly total: (count: number) => number;
}

function answer(context: Context, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
  const json = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(status, {
      'content-type': 'application/json;charset=utf-8',
      'cache-control': 'max-age=0, private, must-revalidate, no-transform',
      ...headers,
    });
    response.end(`${JSON.stringify(body)}\n`);
  };
  const problem = (status: number, message: string): void =>
    json(status, { message, url: `${context.rootUrl}/api/swagger` });
  const attachment = /^\/attachments\/\S+$/u.test(pathname) ? attachmentOf(context, pathname) : undefined;
  if (attachment && request.headers.authorization === `Bearer ${TOKEN}`) {
    return void response
      .writeHead(200, { 'content-type': 'application/octet-stream' })
      .end('x'.repeat(attachment.size));
  }
  if (!pathname.startsWith('/api/v1/')) {
    return void response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end('<title>Not found</title>');
  }
  const path = pathname.replace(/^\/api\/v1/u, '');
  if (path === '/version') return json(200, { version: '1.22.0' });

  const authorization = request.headers.authorization ?? '';
  if (authorization !== '' && !/^(?:token|[Bb]earer) /u.test(authorization))
    return problem(401, 'invalid authorization');
  if (!context.tokens.includes(authorization.split(' ')[1] ?? ''))
    return problem(401, 'user does not exist [uid: 0, name: ]');
  if (path === '/settings/api') return json(200, { max_response_items: context.maxItems, default_paging_num: 30 });

  if (request.method !== 'GET') return write(context, request, path, json, problem);
  const [, labelled] = /^\/repos\/([^/]+\/[^/]+)\/labels$/u.exec(decodeURI(path)) ?? [];
  if (labelled !== undefined) {
    const { size, from } = paging(context, query, 30);
    return json(
      200,
      (context.labels.get(labelled.toLowerCase()) ?? []).slice(from, from + size).map((name) => labelJson(name)),
    );
  }
  if (path === '/user') {
    return context.scopes.some((scope) => ['read:user', 'write:user', 'all'].includes(scope))
      ? json(200, user(BOT))
      : problem(403, 'token does not have at least one of required scope(s): [read:user]');
  }
  if (path === '/repos/issues/search')
    return needsScope(context, problem) ? search(context, query, json, problem) : undefined;
  const [, repository = '', rest = ''] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/u.exec(decodeURI(path)) ?? [];
  if (/^\/issues(?:\/\d+(?:\/(?:comments|dependencies|blocks|timeline|reactions))?)?$/u.test(rest)) {
    if (!needsScope(context, problem)) return;
    const newName = context.store.renamedTo(repository);
    if (newName !== undefined) return redirect(response, `/api/v1/repos/${newName}${rest}?${query.toString()}`);
    if (!context.store.repositories.get(repository.toLowerCase())?.hasIssues)
      return problem(404, "The target couldn't be found.");
    return underRepository(context, repository, rest, query, json, problem);
  }
  if (repository !== '' && (rest === '' || /^\/(?:pulls\/\d|commits\/)/u.test(rest))) {
    if (!context.scopes.some((scope) => ['read:repository', 'write:repository', 'all'].includes(scope)))
      return problem(403, 'token does not have at least one of required scope(s): [read:repository]');
    const stored = context.store.repositories.get(repository.toLowerCase());
    if (stored && rest === '') return json(200, repositoryJson(stored, context.rootUrl));
    return pulls(context, repository, rest, query, json, problem);
  }
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
}

function attachmentOf({ store, rootUrl }: Context, pathname: string): { readonly size: number } | undefined {
  return store.issues
    .flatMap((issue) => [
      ...issueJson(issue, { store, rootUrl }, true).assets,
      ...issue.comments.flatMap((comment) => commentJson(comment, issue, { store, rootUrl }).assets),
    ])
    .find(({ uuid }) => pathname === `/attachments/${uuid}`);
}

export type Json = (status: number, body: unknown, headers?: Record<string, string>) => void;
export type Problem = (status: number, message: string) => void;

function needsScope({ scopes }: Context, problem: Problem): boolean {
  const has = scopes.some((scope) => ['read:issue', 'write:issue', 'all'].includes(scope));
  if (!has) problem(403, 'token does not have at least one of required scope(s): [read:issue]');
  return has;
}

function search(context: Context, query: URLSearchParams, json: Json, problem: Problem): void {
  const owner = query.get('owner')?.toLowerCase();
  const names = [...context.store.repositories.keys()];
  // A query parameter is never redirected: an owner that was renamed is unknown.
  if (Number.isNaN(Date.parse(query.get('since') ?? '1970-01-01'))) return problem(422, 'bad since');
  if (owner !== undefined && !names.some((name) => name.startsWith(`${owner}/`))) return problem(400, 'user not found');
  page(
    context,
    filtered(
      context,
      query,
      (issue) => owner === undefined || issue.repository.toLowerCase().startsWith(`${owner}/`),
      owner ?? '',
    ),
    query,
    20,
    json,
  );
}

function underRepository(
  context: Context,
  repository: string,
  rest: string,
  query: URLSearchParams,
  json: Json,
  problem: Problem,
): void {
  const [, , number, sub] = rest.split('/');
  if (number === undefined) {
    const inRepository = (issue: StoredIssue): boolean => issue.repository.toLowerCase() === repository.toLowerCase();
    return page(context, filtered(context, query, inRepository, repository.toLowerCase()), query, 30, json);
  }
  const issue = context.store.find(repository, Number(number));
  if (sub === undefined)
    return issue ? json(200, issueJson(issue, context, true)) : problem(404, "The target couldn't be found.");
  // Not 404: the handler passes the lookup's error on.
  if (!issue) return problem(500, '');
  if (sub === 'comments') {
    const comments = issue.comments.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
    return json(
      200,
      comments.map((comment) => commentJson(comment, issue, context)),
      { 'x-total-count': String(comments.length) },
    );
  }
  // An empty one is null.
  if (sub === 'timeline') return json(200, timelineJson(issue, context));
  if (sub === 'reactions') return json(200, null, { 'x-total-count': '0' });
  if (sub === 'blocks') {
    // Those that the token may not read are left out; `limit=1` is taken as the default.
    const ref = `${issue.repository}#${issue.number}`;
    const { from } = paging(context, query, 30);
    const size = Number(query.get('limit')) > 1 ? Number(query.get('limit')) : 30;
    const waiting = context.store.issues.filter(({ dependsOn }) => dependsOn.includes(ref));
    return json(
      200,
      waiting.slice(from, from + size).map((each) => issueJson(each, context)),
    );
  }
  const blockers = issue.dependsOn.map((ref) => {
    const [name = '', index] = ref.split('#');
    const blocker = context.store.find(name, Number(index));
    // One that the token may not see is shown without anything that would name it.
    return blocker ? issueJson(blocker, context) : HIDDEN_ISSUE;
  });
  const { size, from } = paging(context, query, 30);
  return json(200, blockers.slice(from, from + size));
}

// The last answers, as long as nothing changes: a listing of a thousand pages would sort all issues for each.
const lists = new WeakMap<Store, { version: number; readonly byQuery: Map<string, readonly StoredIssue[]> }>();

function filtered(
  context: Context,
  query: URLSearchParams,
  belongs: (issue: StoredIssue) => boolean,
  of: string,
): readonly StoredIssue[] {
  const { store } = context;
  let known = lists.get(store);
  if (known?.version !== store.version()) {
    known = { version: store.version(), byQuery: new Map() };
    lists.set(store, known);
  }
  const key = [of, query.get('state'), query.get('type'), query.get('since')].join(' ');
  const found = known.byQuery.get(key) ?? filteredAnew(context, query, belongs);
  known.byQuery.set(key, found);
  return found;
}

function filteredAnew(
  { store, ignoresSince }: Context,
  query: URLSearchParams,
  belongs: (issue: StoredIssue) => boolean,
): readonly StoredIssue[] {
  const state = query.get('state');
  const type = query.get('type');
  const since = Math.floor(Date.parse((ignoresSince ? null : query.get('since')) ?? '1970-01-01T00:00:00Z') / 1000);
  return (
    store.issues
      .filter(belongs)
      .filter((issue) => state === 'all' || issue.state === (state === 'closed' ? 'closed' : 'open'))
      // Without a type, pull requests are issues too.
      .filter((issue) => (type === 'issues' ? !issue.pullRequest : type === 'pulls' ? issue.pullRequest : true))
      .filter((issue) => Math.floor(issue.updatedAt.getTime() / 1000) >= since)
      .toSorted(
        (a, b) => Math.floor(b.createdAt.getTime() / 1000) - Math.floor(a.createdAt.getTime() / 1000) || b.id - a.id,
      )
  );
}

function page(
  context: Context,
  issues: readonly StoredIssue[],
  query: URLSearchParams,
  byDefault: number,
  json: Json,
): void {
  const { size, from } = paging(context, query, byDefault);
  json(
    200,
    issues.slice(from, from + size).map((issue) => issueJson(issue, context)),
    { 'x-total-count': String(context.total(issues.length)) },
  );
}

function redirect(response: ServerResponse, location: string): void {
  response
    .writeHead(307, { location, 'content-type': 'text/html; charset=utf-8' })
    .end(`<a href="${location}">Temporary Redirect</a>.\n`);
}

function misbehave(fault: Fault, request: IncomingMessage, response: ServerResponse): void {
  if (typeof fault === 'function') return fault(request, response);
  response
    .writeHead(fault.status ?? 200, { 'content-type': 'application/json', ...fault.headers })
    .end(fault.body ?? '');
}

async function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
