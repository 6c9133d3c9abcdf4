// The configuration file as users write it: the schema that checks it, and from which the JSON Schema is made.

import * as z from 'zod/mini';
import { priorityNamed } from '../issue/priority.ts';
import { describe, duration, LOGIN, logins, parsable, REPOSITORY, text } from './schema-parts.ts';
import { ServerSchema, ServersSchema } from './server-schema.ts';
import { StoreSchema } from './store-schema.ts';
import { AgentSchema, ContextSchema, InstructionsSchema, RateLimitsSchema } from './task-schema.ts';

/** The configuration file as users write it, with one server. */
export const ConfigSchema = z.strictObject({
  gitea: ServerSchema,
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
                /^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?=.*\{number\})(?:[A-Za-z0-9._/-]|\{(?:number|owner|repo|server)\})+\.md$/u,
                'must be a relative path that ends in .md, has {number}, and besides only {owner}, {repo}, {server}, letters, digits, ._-/',
              ),
            ),
          'Name of a task file below its agent, with {number}, {owner} and {repo}. Default: issue-{number}.md. With several repositories it goes below {owner}/{repo}/ unless it names them, and with several servers below {server}/.',
        ),
      ),
      template: z.optional(describe(text, 'Handlebars template of the task file, relative to this file.')),
      stalledAfter: z.optional(
        describe(duration, 'After so long a task that an agent has taken is shown as stalled. Default: 24h'),
      ),
    }),
  ),
  rateLimit: z.optional(describe(duration, 'At most one task file appears in any window this long. Default: 60s')),
  rateLimits: z.optional(RateLimitsSchema),
  priority: z.optional(
    z.strictObject({
      labels: z.optional(
        describe(
          z.record(
            z.string(),
            z
              .string()
              .check(z.refine((word) => priorityNamed(word) !== undefined, 'must be critical, high, normal or low')),
          ),
          'Label name to priority, on top of the built-in spellings.',
        ),
      ),
    }),
  ),
  holdLabels: z.optional(describe(z.array(text), 'An issue that carries one of these labels is not dispatched.')),
  log: z.optional(
    z.strictObject({
      file: z.optional(describe(text, 'Log file, relative to the workspace. Default: .agent-dispatcher.log')),
      format: z.optional(describe(z.enum(['text', 'json']), 'Form of each log line.')),
    }),
  ),
  updates: z.optional(
    z.strictObject({
      enabled: z.optional(
        describe(z.boolean(), 'Whether news of a dispatched issue is written beside its task. Default: true'),
      ),
      ignoreAuthors: z.optional(
        describe(
          logins,
          "Logins whose comments are no news, besides the agent's own. Default: gitea-actions, forgejo-actions",
        ),
      ),
      reopen: z.optional(
        describe(z.boolean(), 'Whether a task that is blocked or done is new again when people write. Default: true'),
      ),
      pullRequests: z.optional(
        describe(
          z.boolean(),
          'Whether reviews, failed checks and conflicts of a pull request that closes or names the issue are news. Default: true',
        ),
      ),
    }),
  ),
  trust: z.optional(
    z.strictObject({
      authors: z.optional(describe(logins, 'Only issues by these logins are dispatched; others are held.')),
      commenters: z.optional(describe(logins, 'Comments by others are left out of the task, with a note.')),
      assigners: z.optional(describe(logins, 'Only what these logins assigned is dispatched; the rest is held.')),
    }),
  ),
  instructions: z.optional(InstructionsSchema),
  context: z.optional(ContextSchema),
  receipt: z.optional(
    z.strictObject({
      reaction: z.optional(describe(text, 'Reaction to leave on a dispatched issue, such as eyes. Needs write:issue.')),
      label: z.optional(describe(text, 'Label to set on a dispatched issue; it must exist. Needs write:issue.')),
      comment: z.optional(
        describe(z.boolean(), 'Whether to leave one comment, edited when it is dispatched again. Needs write:issue.'),
      ),
    }),
  ),
  attachments: z.optional(
    z.strictObject({
      save: describe(z.boolean(), 'Whether attachments are saved beside the task.'),
      maxBytes: z.optional(
        describe(z.int().check(z.positive('must be at least 1')), 'Larger ones are left. Default: 5000000'),
      ),
      types: z.optional(
        describe(
          z.array(z.string().check(z.regex(/^[A-Za-z0-9]{1,10}$/u, 'must be an ending such as png'))),
          'Endings of what is saved. Default: png jpg jpeg gif webp txt log md csv json yaml yml diff patch pdf',
        ),
      ),
    }),
  ),
  onDispatch: z.optional(
    z.strictObject({
      command: describe(
        z.array(text).check(
          z.minLength(1, 'must name a program'),
          z.refine(
            ([program = '']) => program.startsWith('/') || !program.includes('/'),
            'must begin with an absolute path, or a name that is looked up in PATH',
          ),
        ),
        'Program and arguments to run after each dispatch, without a shell; facts are in its environment.',
      ),
      timeout: z.optional(describe(duration, 'After this time it is ended. Default: 10s, at most 30s')),
    }),
  ),
  state: z.optional(
    describe(text, 'Folder of state file, lock and journal, relative to the workspace. Default: .agent-dispatcher'),
  ),
  store: z.optional(StoreSchema),
  history: z.optional(
    z.strictObject({
      keep: z.optional(
        describe(duration, 'How long it is remembered what happened: for report and page. Default: 90d'),
      ),
    }),
  ),
  dashboard: z.optional(
    z.strictObject({
      host: z.optional(describe(text, 'Address the dashboard listens on. Default: 127.0.0.1')),
      port: z.optional(
        describe(z.int().check(z.minimum(1), z.maximum(65_535)), 'Port of the dashboard. Default: 8098'),
      ),
      auth: z.optional(
        z.strictObject({
          user: z.optional(
            describe(
              z.string().check(z.regex(/^[\x21-\x39\x3B-\x7E]+$/u, 'must be one word without a colon')),
              'User name that browsers ask for. Default: dispatcher',
            ),
          ),
          passwordFile: describe(
            text,
            'File that holds the password and nothing else, relative to this file. Scripts send it as a bearer token.',
          ),
        }),
      ),
      allowedHosts: z.optional(
        describe(
          z.array(z.string().check(z.regex(/^[A-Za-z0-9.-]+$/u, 'must be a host name without port'))),
          'Host names by which the dashboard may be asked, besides localhost and the address it listens on.',
        ),
      ),
    }),
  ),
  monitor: z.optional(
    z.strictObject({
      pingUrl: z.optional(
        describe(
          z.string().check(
            z.regex(/^https?:\/\/[^\s/?#@]+[^\s#@]*$/u, {
              error: 'must be an http(s) address without user',
              abort: true,
            }),
            parsable,
          ),
          'Address that is pinged after each pass, with /fail behind its path when the pass failed (healthchecks).',
        ),
      ),
      metricsFile: z.optional(
        describe(
          z.string().check(z.regex(/\.prom$/u, 'must end in .prom')),
          "File for node_exporter's textfile collector, written after each pass, relative to the workspace.",
        ),
      ),
      office: z.optional(
        describe(text, 'Label of all metrics, which tells several dispatchers apart. Default: the workspace'),
      ),
    }),
  ),
});

const ManySchema = z.extend(ConfigSchema, { gitea: ServersSchema });

/** Both forms in one, as editors want it. */
export const EitherSchema = z.extend(ConfigSchema, { gitea: z.union([ServerSchema, ServersSchema]) });
export type RawConfig = z.infer<typeof EitherSchema>;

/** The schema for what was written: with one server, or with a list. Either alone tells exactly what is wrong. */
export function schemaFor(raw: unknown): typeof ConfigSchema | typeof ManySchema {
  const isList = typeof raw === 'object' && raw !== null && 'gitea' in raw && Array.isArray(raw.gitea);
  return isList ? ManySchema : ConfigSchema;
}

/** The keys that may stand below a path of the configuration file; none when anything or nothing may. */
export function knownKeys(path: readonly (string | number)[]): readonly string[] {
  let schema: z.core.$ZodType | undefined = typeof path[1] === 'number' ? ManySchema : ConfigSchema;
  for (const part of path) schema = childOf(schema, part);
  const group = unwrapped(schema);
  return group instanceof z.ZodMiniObject ? Object.keys(group.shape) : [];
}

function childOf(schema: z.core.$ZodType | undefined, part: string | number): z.core.$ZodType | undefined {
  const parent = unwrapped(schema);
  if (parent instanceof z.ZodMiniRecord) return parent.def.valueType;
  if (parent instanceof z.ZodMiniArray) return parent.def.element;
  return parent instanceof z.ZodMiniObject ? parent.shape[part] : undefined;
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  return schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniNullable
    ? unwrapped(schema.def.innerType)
    : schema;
}

/** Whether a text may stand in `gitea.repositories`. */
export function isRepositoryPattern(name: string): boolean {
  return REPOSITORY.test(name);
}

/** Whether a text may name an agent in `agents`. */
export function isLogin(name: string): boolean {
  return LOGIN.test(name);
}
