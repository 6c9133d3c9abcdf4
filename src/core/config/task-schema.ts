// Who gets tasks, and what they say besides their issue: the groups of the configuration for that.

import * as z from 'zod/mini';
import { describe, duration, LOGIN, REPOSITORY_ANYWHERE, text } from './schema-parts.ts';

/** `agents.A` */
export const AgentSchema = z.strictObject({
  maxTasks: z.optional(
    describe(z.int().check(z.positive('must be at least 1')), 'At most this many unfinished task files at a time.'),
  ),
  rateLimit: z.optional(
    describe(duration, 'At most one task of this agent in any window this long, besides the limit for all.'),
  ),
  template: z.optional(describe(text, 'A template for this agent only, relative to this file.')),
  labels: z.optional(
    describe(
      z.array(text).check(z.minLength(1, 'must name at least one label')),
      'It takes only issues that carry one of these labels.',
    ),
  ),
  attempts: z.optional(
    describe(
      z.int().check(z.positive('must be at least 1'), z.maximum(100, 'must be at most 100')),
      'So many failed runs of dispatcher work, and a task is blocked. Default: 3',
    ),
  ),
});

/** `rateLimits` */
export const RateLimitsSchema = z.strictObject({
  repositories: z.optional(
    describe(
      z.record(z.string().check(z.regex(REPOSITORY_ANYWHERE, 'must be owner/repository or owner/*')), duration),
      'Repository, or owner/* for each one of an owner, to a limit of its own besides the one for all.',
    ),
  ),
});

/** `instructions` */
export const InstructionsSchema = z.strictObject({
  agents: z.optional(
    describe(
      z.record(z.string().check(z.regex(LOGIN, 'must be a Gitea login')), text),
      'Login to text that stands among the rules of its tasks.',
    ),
  ),
  repositories: z.optional(
    describe(
      z.record(z.string().check(z.regex(REPOSITORY_ANYWHERE, 'must be owner/repository or owner/*')), text),
      'Repository, or owner/*, to text that stands among the rules of its tasks.',
    ),
  ),
  labels: z.optional(
    describe(z.record(text, text), 'Label to text that stands among the rules of tasks that carry it.'),
  ),
});

/** `context` */
export const ContextSchema = z.strictObject({
  timeline: z.optional(
    describe(z.boolean(), 'Whether the task tells who assigned it, and what mentions it. One request. Default: true'),
  ),
  repository: z.optional(
    describe(z.boolean(), 'Whether the task tells the default branch. One request; read:repository. Default: true'),
  ),
  references: z.optional(
    describe(
      z.int().check(z.minimum(0), z.maximum(5)),
      'So many of the issues that the text names are shown. One request each. Default: 5',
    ),
  ),
  blocks: z.optional(describe(z.boolean(), 'Whether the task tells what waits for it. One request. Default: true')),
  lastAttempt: z.optional(
    describe(
      z.boolean(),
      "Whether a repeated task shows the last review of the agent's pull request. One request. Default: true",
    ),
  ),
});
