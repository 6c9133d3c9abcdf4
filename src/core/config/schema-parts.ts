// What the groups of the configuration's schema are made of.

import * as z from 'zod/mini';
import { DURATION, parseDuration } from '../clock.ts';

/** A login that can name an agent. */
export const LOGIN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u;
const NAME = '[A-Za-z0-9._-]{1,100}';
/** `owner/repository` or `owner/*`. */
export const REPOSITORY = new RegExp(`^(?!\\.{1,2}/)(${NAME})/(?!\\.{1,2}$)(\\*|${NAME})$`, 'u');

/** The same, where there are several servers with the name of one in front. */
export const REPOSITORY_ANYWHERE = new RegExp(`^(?:[a-z][a-z0-9-]{0,29}:)?${REPOSITORY.source.slice(1)}`, 'u');

/** A text that is not empty. */
export const text = z.string().check(
  z.minLength(1, 'must not be empty'),
  // No path and no argument of a program can hold it.
  z.refine((value) => !value.includes('\0'), 'must not hold a NUL character'),
);

const DURATION_RULE = 'must be a duration such as 60s, 5m or 1h';
/** A duration such as `5m`. */
export const duration = z.string(DURATION_RULE).check(
  z.regex(DURATION, { error: DURATION_RULE, abort: true }),
  z.refine((value) => parseDuration(value) !== undefined, 'must be at most 3650d'),
);

/** That an address of the right form is one: a port of 99999 is not, nor is an open bracket. */
export const parsable = z.refine<string>(
  (value) => URL.canParse(value),
  'is no address: look at its host and its port',
);

/** The address of a server. */
export const address = z.string().check(
  z.regex(/^https?:\/\/[^\s/?#@]+[^\s?#@]*$/u, {
    error: 'must be an http(s) address without user, query or fragment',
    abort: true,
  }),
  parsable,
);

/** Logins of people. */
export const logins = z.array(z.string().check(z.regex(LOGIN, 'must be a Gitea login')));

/** The schema with a description of its own: one that stands in several places would have the last in all of them. */
export function describe<S extends z.core.$ZodType>(schema: S, description: string): S {
  const copy = z.core.clone(schema);
  z.globalRegistry.add(copy, { description });
  return copy;
}
