// Asks what a configuration needs, proves each answer against the server as it comes, and only then writes.

import { type Answers, configText } from '../core/config/text.ts';
import { isLogin, isRepositoryPattern } from '../core/config/schema.ts';
import { EXIT, type ExitCode, exitCodeOf, UserError } from '../core/errors.ts';
import type { Issue } from '../core/issue/issue.ts';
import type { Listing } from '../core/listing/listing.ts';
import { shellWord } from '../core/shell-word.ts';
import type { Prompter } from '../io/prompts.ts';
import { findingText } from '../views/doctor.ts';
import { counted, plural, refusedToken, say, untilRight } from './init-asking.ts';

export interface InitOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly repository?: readonly string[];
  readonly agent?: readonly string[];
  readonly workspace?: string;
}

export interface InitDeps {
  readonly configFile: string;
  /** What to type for a command with this configuration, such as `dispatcher doctor`. */
  readonly commandLine: (command: string) => string;
  readonly cwd: string;
  /** Null without a terminal: then every answer is an option. */
  readonly prompter: Prompter | null;
  readonly environmentToken: string | undefined;
  /** Where a token of that server belongs when nobody names a place. */
  readonly tokenFileFor: (url: string) => string;
  readonly absolute: (path: string) => string;
  readonly exists: (path: string) => boolean;
  /** Throws exit 4 when it cannot be read or holds no token. */
  readonly readToken: (file: string) => string;
  /** Finds the server's own address in one of its pages' addresses. */
  readonly findServer: (address: string) => Promise<{ readonly url: string; readonly version: string | null }>;
  /** Open issues that a token can see, the newest first; not all of them. Throws exit 4 when it is refused. */
  readonly visibleIssues: (url: string, token: string) => Promise<readonly Issue[]>;
  readonly list: (
    url: string,
    token: string,
    repositories: readonly string[],
  ) => Promise<Pick<Listing, 'issues' | 'warnings'>>;
  /** Creates a folder with those above it. */
  readonly createFolder: (path: string) => void;
  /** Writes a file that only the workspace's owner can read, beside nothing that is there already. */
  readonly createPrivate: (path: string, text: string, workspace: string) => void;
  /** Throws when the text is no configuration. */
  readonly validate: (text: string) => void;
  readonly print: (text: string) => void;
}

/** Writes a configuration whose every answer has been tried. Never overwrites. */
export async function init(deps: InitDeps, options: InitOptions): Promise<ExitCode> {
  if (deps.exists(deps.configFile)) {
    throw new UserError(`${deps.configFile} is there already, and stays as it is`, {
      exitCode: EXIT.refused,
      code: 'config_exists',
      hint: `${deps.commandLine('doctor')} checks it; for another one: dispatcher --config OTHER.yaml init`,
    });
  }
  if (deps.prompter === null) demandOptions(deps, options);
  const url = await askUrl(deps, options);
  const token = await askToken(deps, options, url);
  const { repositories, issues } = await askRepositories(deps, options, url, token);
  const agents = await askAgents(deps, options, issues);
  const workspace = await askWorkspace(deps, options);
  write(deps, { url, repositories, tokenFile: token.file, workspace, agents }, token);
  deps.print(`\nNext: ${deps.commandLine('doctor')}\n`);
  return EXIT.ok;
}

interface TokenAnswer {
  readonly value: string;
  readonly file: string;
  readonly isStored: boolean;
}

function demandOptions({ environmentToken }: InitDeps, { url, tokenFile, repository }: InitOptions): void {
  const missing = [
    ...(url === undefined ? ['--url https://git.example.com'] : []),
    ...(tokenFile === undefined && !environmentToken ? ['--token-file FILE (or $GITEA_TOKEN)'] : []),
    ...(repository === undefined ? ['--repository owner/name'] : []),
  ];
  if (missing.length === 0) return;
  throw new UserError(`without a terminal nothing can be asked; missing: ${missing.join(', ')}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: 'give them as options, or run it on a terminal: dispatcher init',
  });
}

async function askUrl(deps: InitDeps, { url }: InitOptions): Promise<string> {
  return untilRight(
    deps,
    url,
    async ({ text }) => text('Address of your Gitea or Forgejo server, such as https://git.example.com'),
    async (address) => {
      const server = await deps.findServer(address);
      say(deps, 'server', `${server.url}, ${server.version === null ? 'which asks for a token' : server.version}`);
      return server.url;
    },
  );
}

async function askToken(deps: InitDeps, options: InitOptions, url: string): Promise<TokenAnswer> {
  const file = deps.absolute(options.tokenFile ?? deps.tokenFileFor(url));
  const stored = (): string | undefined => (deps.exists(file) ? deps.readToken(file) : undefined);
  const tried = async (value: string): Promise<TokenAnswer> => {
    try {
      await deps.visibleIssues(url, value);
    } catch (error) {
      throw exitCodeOf(error) === EXIT.token ? refusedToken(error, url, deps.exists(file) ? file : null) : error;
    }
    say(deps, 'token', 'accepted');
    return { value, file, isStored: stored() === value };
  };
  const known = stored();
  const { environmentToken, prompter } = deps;
  if (known !== undefined) {
    const isWanted = options.tokenFile !== undefined || environmentToken === known;
    if (isWanted || (await prompter?.confirm(`Use the token in ${file}?`))) return tried(known);
    throw new UserError(`${file} holds a token already, and stays as it is`, {
      exitCode: EXIT.refused,
      code: 'token_exists',
      hint: `to use it: --token-file ${shellWord(file)}; for another token, name another file`,
    });
  }
  if (prompter === null && !environmentToken) {
    throw new UserError(`the token file ${file} is not there`, {
      exitCode: EXIT.token,
      code: 'token_missing',
      hint: 'create it with the token as its only line; or export GITEA_TOKEN, which is then stored there',
    });
  }
  return untilRight(
    deps,
    environmentToken || undefined,
    async ({ secret }) =>
      secret(`Access token with the scope read:issue (make one at ${url}/user/settings/applications)`),
    async (text) => {
      if (/^[\x21-\x7E]+$/u.test(text.trim())) return tried(text.trim());
      throw new UserError(text.trim() === '' ? 'nothing was typed' : 'that is not one word of printable characters', {
        exitCode: EXIT.token,
        code: 'token_missing',
      });
    },
  );
}

interface RepositoriesAnswer {
  readonly repositories: readonly string[];
  readonly issues: readonly Issue[];
}

async function askRepositories(
  deps: InitDeps,
  { repository }: InitOptions,
  url: string,
  token: TokenAnswer,
): Promise<RepositoriesAnswer> {
  const seen = repository ? [] : await deps.visibleIssues(url, token.value);
  const offered = counted(seen.map((issue) => issue.repository).filter(isRepositoryPattern), 'open issue');
  const ask = async ({ several, text }: Prompter): Promise<string> => {
    const chosen = offered.length > 0 ? await several('Repositories to watch (none: type their names)', offered) : [];
    return chosen.length > 0
      ? chosen.join(' ')
      : text('Repositories to watch: owner/name, or owner/* for all of an owner; several with spaces');
  };
  return untilRight(deps, repository?.join(' '), ask, async (text) => {
    const repositories = [...new Set(text.split(/[\s,]+/u).filter(Boolean))];
    const wrong = repositories.find((name) => !isRepositoryPattern(name));
    if (wrong !== undefined || repositories.length === 0) {
      throw new UserError(`${JSON.stringify(wrong ?? '')} is not owner/name or owner/*`, {
        exitCode: EXIT.usage,
        code: 'usage',
      });
    }
    const { issues, warnings } = await deps.list(url, token.value, repositories);
    const [warning] = warnings;
    if (warning !== undefined) {
      throw new UserError(warning, {
        exitCode: EXIT.invalid,
        code: 'gitea_not_found',
        hint: "check the spelling, and that the token's user may see it",
      });
    }
    say(deps, 'repositories', `${repositories.join(', ')}: ${plural(issues.length, 'open issue')}`);
    return { repositories, issues };
  });
}

async function askAgents(deps: InitDeps, { agent }: InitOptions, issues: readonly Issue[]): Promise<readonly string[]> {
  const assignees = issues.flatMap((issue) => issue.assignees).filter(isLogin);
  const offered = counted(
    assignees.map((login) => login.toLowerCase()),
    'open issue',
  );
  const chosen =
    agent?.flatMap((names) => names.split(/[\s,]+/u).filter(Boolean)) ??
    (offered.length > 0
      ? await deps.prompter?.several('Who of the assignees is an agent? (none: everybody is)', offered)
      : undefined) ??
    [];
  const wrong = chosen.find((login) => !isLogin(login));
  if (wrong !== undefined) {
    throw new UserError(`${JSON.stringify(wrong)} is not a Gitea login`, { exitCode: EXIT.usage, code: 'usage' });
  }
  const agents = [...new Set(chosen.map((login) => login.toLowerCase()))];
  const unseen = agents.filter((login) => !offered.some(({ value }) => value === login));
  say(deps, 'agents', agents.length === 0 ? 'every assignee' : agents.join(', '));
  if (unseen.length > 0) {
    deps.print(
      findingText({
        check: 'agents',
        status: 'note',
        message: `no open issue is assigned to ${unseen.join(', ')} yet`,
        fix: null,
      }),
    );
  }
  return agents;
}

async function askWorkspace(deps: InitDeps, { workspace }: InitOptions): Promise<string> {
  const { prompter, cwd } = deps;
  return untilRight(
    deps,
    workspace ?? (prompter ? undefined : cwd),
    async ({ text }) => text('Folder of the task files, the state and the log', cwd),
    async (path) => {
      const folder = deps.absolute(path);
      deps.createFolder(folder);
      return folder;
    },
  );
}

function write(deps: InitDeps, answers: Answers, token: TokenAnswer): void {
  const text = configText(answers);
  deps.validate(text);
  if (!token.isStored) deps.createPrivate(token.file, `${token.value}\n`, answers.workspace);
  say(deps, 'token', `${token.isStored ? 'read from' : 'stored in'} ${token.file}`);
  deps.createPrivate(deps.configFile, text, answers.workspace);
  say(deps, 'configuration', `written to ${deps.configFile}`);
}
