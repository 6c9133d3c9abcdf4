import * as z from 'zod/mini';
import { type Priority, priorityNamed } from './priority.ts';

const LOGIN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u;
const NAME = '[A-Za-z0-9._-]{1,100}';
const REPOSITORY = new RegExp(`^(?!\\.{1,2}/)(${NAME})/(?!\\.{1,2}$)(\\*|${NAME})$`, 'u');
const DURATION = /^(\d+)\s*(ms|s|m|h)$/u;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const text = z.string().check(z.minLength(1, 'must not be empty'));
const duration = z.string().check(z.regex(DURATION, 'must be a duration such as 60s, 5m or 1h'));
const describe = <S extends z.core.$ZodType>(schema: S, description: string): S => {
  z.globalRegistry.add(schema, { description });
  return schema;
};

const AgentSchema = z.strictObject({
  maxTasks: z.optional(
    describe(
      z.int().check(z.positive('must be at least 1')),
      'At most this many unfinished task files at a time.',
    ),
  ),
  template: z.optional(describe(text, 'A template for this agent only, relative to this file.')),
});

/** The configuration file as users write it. The JSON Schema for editors is made from this. */
export const ConfigSchema = z.strictObject({
  gitea: z.strictObject({
    url: describe(
      z
        .string()
        .check(
          z.regex(
            /^https?:\/\/[^\s/?#@]+[^\s?#@]*$/u,
            'must be an http(s) address without user, query or fragment',
          ),
        ),
      'Address of the Gitea or Forgejo server, with its path prefix when it has one.',
    ),
    repositories: describe(
      z
        .array(z.string().check(z.regex(REPOSITORY, 'must be owner/repository or owner/*')))
        .check(z.minLength(1, 'must name at least one repository')),
      'Repositories to read: owner/repository, or owner/* for all of an owner.',
    ),
    tokenFile: z.optional(
      describe(text, 'File that holds the access token and nothing else, relative to this file.'),
    ),
  }),
  workspace: z.optional(describe(text, "Folder for task files, state and log. Default: this file's folder.")),
  agents: z.optional(
    describe(
      z.record(z.string().check(z.regex(LOGIN, 'must be a Gitea login')), z.nullable(AgentSchema)),
      'Gitea logins of the agents. Without it every assignee is an agent.',
    ),
  ),
  tasks: z.optional(
    z.strictObject({
      directory: z.optional(
        describe(text, 'Folder of the task files, relative to the workspace. Default: .agent-tasks'),
      ),
      file: z.optional(
        describe(
          z
            .string()
            .check(
              z.regex(
                /^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?=.*\{number\})(?:[A-Za-z0-9._/-]|\{(?:number|owner|repo)\})+\.md$/u,
                'must be a relative path that ends in .md, has {number}, and besides only {owner}, {repo}, letters, digits, ._-/',
              ),
            ),
          'Name of a task file below its agent. Default: issue-{number}.md, with several repositories {owner}/{repo}/issue-{number}.md',
        ),
      ),
      template: z.optional(describe(text, 'Handlebars template of the task file, relative to this file.')),
    }),
  ),
  rateLimit: z.optional(
    describe(duration, 'At most one task file appears in any window this long. Default: 60s'),
  ),
  priority: z.optional(
    z.strictObject({
      labels: z.optional(
        describe(
          z.record(
            z.string(),
            z
              .string()
              .check(
                z.refine(
                  (word) => priorityNamed(word) !== undefined,
                  'must be critical, high, normal or low',
                ),
              ),
          ),
          'Label name to priority, on top of the built-in spellings.',
        ),
      ),
    }),
  ),
  holdLabels: z.optional(
    describe(z.array(text), 'An issue that carries one of these labels is not dispatched.'),
  ),
  log: z.optional(
    z.strictObject({
      file: z.optional(describe(text, 'Log file, relative to the workspace. Default: .agent-dispatcher.log')),
      format: z.optional(describe(z.enum(['text', 'json']), 'Form of each log line.')),
    }),
  ),
  state: z.optional(
    describe(
      text,
      'Folder of state file, lock and journal, relative to the workspace. Default: .agent-dispatcher',
    ),
  ),
  dashboard: z.optional(
    z.strictObject({
      host: z.optional(describe(text, 'Address the dashboard listens on. Default: 127.0.0.1')),
      port: z.optional(
        describe(z.int().check(z.minimum(1), z.maximum(65_535)), 'Port of the dashboard. Default: 8098'),
      ),
    }),
  ),
});
export type RawConfig = z.infer<typeof ConfigSchema>;

export interface RepositoryPattern {
  readonly owner: string;
  /** Null stands for all of the owner's repositories. */
  readonly name: string | null;
}

interface AgentConfig {
  readonly maxTasks: number | null;
  readonly template: string | null;
}

/** The configuration with every default filled in and every path absolute. */
export interface Config {
  /** The file it came from, or null when it came from the environment. */
  readonly file: string | null;
  readonly url: string;
  readonly repositories: readonly RepositoryPattern[];
  readonly tokenFile: string | null;
  readonly workspace: string;
  /** By lower-cased login. Null: every assignee is an agent. */
  readonly agents: ReadonlyMap<string, AgentConfig> | null;
  readonly tasksDirectory: string;
  readonly taskFile: string;
  readonly template: string | null;
  readonly rateLimitMs: number;
  /** By lower-cased label name. */
  readonly priorityLabels: ReadonlyMap<string, Priority>;
  /** Lower-cased. */
  readonly holdLabels: readonly string[];
  readonly logFile: string;
  readonly logFormat: 'text' | 'json';
  readonly stateDirectory: string;
  readonly dashboard: { readonly host: string; readonly port: number };
}

interface Placement {
  readonly file: string | null;
  /** Folder that paths read by the dispatcher are relative to, and the default workspace. */
  readonly folder: string;
  readonly resolve: (folder: string, path: string) => string;
}

/** Fills in the defaults. What is read lies relative to the configuration file, what is written relative to the workspace. */
export function normaliseConfig(raw: RawConfig, { file, folder, resolve }: Placement): Config {
  const workspace = resolve(folder, raw.workspace ?? '.');
  const read = (path: string | undefined): string | null =>
    path === undefined ? null : resolve(folder, path);
  const repositories = raw.gitea.repositories.map(parsePattern);
  return {
    file,
    url: raw.gitea.url.replace(/\/+$/u, ''),
    repositories,
    tokenFile: read(raw.gitea.tokenFile),
    workspace,
    agents: raw.agents
      ? new Map(
          Object.entries(raw.agents).map(([login, agent]) => [
            login.toLowerCase(),
            { maxTasks: agent?.maxTasks ?? null, template: read(agent?.template) },
          ]),
        )
      : null,
    tasksDirectory: resolve(workspace, raw.tasks?.directory ?? '.agent-tasks'),
    taskFile:
      raw.tasks?.file ?? (isSingle(repositories) ? 'issue-{number}.md' : '{owner}/{repo}/issue-{number}.md'),
    template: read(raw.tasks?.template),
    rateLimitMs: parseDuration(raw.rateLimit ?? '60s'),
    priorityLabels: new Map(
      Object.entries(raw.priority?.labels ?? {}).map(([label, word]) => [
        label.trim().toLowerCase(),
        priorityNamed(word) ?? 'NORMAL',
      ]),
    ),
    holdLabels: (raw.holdLabels ?? []).map((label) => label.trim().toLowerCase()),
    logFile: resolve(workspace, raw.log?.file ?? '.agent-dispatcher.log'),
    logFormat: raw.log?.format ?? 'text',
    stateDirectory: resolve(workspace, raw.state ?? '.agent-dispatcher'),
    dashboard: { host: raw.dashboard?.host ?? '127.0.0.1', port: raw.dashboard?.port ?? 8098 },
  };
}

/** A complaint about a value that is well-formed by itself but not together with the rest. */
export interface ConfigProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Rules that span several keys. */
export function crossCheck(raw: RawConfig): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const patterns = raw.gitea.repositories.map(parsePattern);
  const file = raw.tasks?.file;
  if (file !== undefined && !isSingle(patterns) && !file.includes('{repo}')) {
    problems.push({
      path: ['tasks', 'file'],
      message: 'needs {repo}: with several repositories two issues can have one number',
    });
  }
  if (
    file !== undefined &&
    new Set(patterns.map((p) => p.owner.toLowerCase())).size > 1 &&
    !file.includes('{owner}')
  ) {
    problems.push({
      path: ['tasks', 'file'],
      message: 'needs {owner}: with several owners two repositories can have one name',
    });
  }
  if (parseDuration(raw.rateLimit ?? '60s') < 1000) {
    problems.push({ path: ['rateLimit'], message: 'must be at least 1s' });
  }
  const logins = Object.keys(raw.agents ?? {});
  for (const login of logins) {
    if (login !== login.toLowerCase() && logins.includes(login.toLowerCase())) {
      problems.push({
        path: ['agents', login],
        message: 'names an agent twice: Gitea logins do not tell upper from lower case',
      });
    }
  }
  return problems;
}

/** The keys that may stand below a path of the configuration file; none when anything or nothing may. */
export function knownKeys(path: readonly (string | number)[]): readonly string[] {
  let schema: z.core.$ZodType | undefined = ConfigSchema;
  for (const part of path) schema = childOf(schema, part);
  const group = unwrapped(schema);
  return group instanceof z.ZodMiniObject ? Object.keys(group.shape) : [];
}

function childOf(schema: z.core.$ZodType | undefined, part: string | number): z.core.$ZodType | undefined {
  const parent = unwrapped(schema);
  if (parent instanceof z.ZodMiniRecord) return parent.def.valueType;
  return parent instanceof z.ZodMiniObject ? parent.shape[part] : undefined;
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  return schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniNullable
    ? unwrapped(schema.def.innerType)
    : schema;
}

/** Whether an issue's repository is one of those configured. Gitea names do not tell upper from lower case. */
export function coversRepository(patterns: readonly RepositoryPattern[], repository: string): boolean {
  const [owner = '', name = ''] = repository.toLowerCase().split('/');
  return patterns.some(
    (p) => p.owner.toLowerCase() === owner && (p.name === null || p.name.toLowerCase() === name),
  );
}

/** True when every issue comes from one repository, so that its number alone names it. */
export function isSingle(patterns: readonly RepositoryPattern[]): boolean {
  return patterns.length === 1 && patterns[0]?.name !== null;
}

function parsePattern(pattern: string): RepositoryPattern {
  const [owner = '', name = ''] = pattern.split('/');
  return { owner, name: name === '*' ? null : name };
}

function parseDuration(duration_: string): number {
  const [, count, unit] = DURATION.exec(duration_) ?? [];
  return Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
}
