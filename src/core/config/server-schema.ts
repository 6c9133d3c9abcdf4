// `gitea`: the server, or a list of servers.

import * as z from 'zod/mini';
import { address, describe, REPOSITORY, text } from './schema-parts.ts';

/** Lower case, so that no two differ by that alone; and it becomes a folder, a credential and a variable. */
const SERVER_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u;

/** The only server. */
export const ServerSchema = z.strictObject({
  url: describe(address, 'Address of the Gitea or Forgejo server, with its path prefix when it has one.'),
  formerUrls: z.optional(
    describe(
      z.array(address),
      'Addresses at which the same server was reached before: its tasks are the same ones all the same.',
    ),
  ),
  repositories: describe(
    z
      .array(z.string().check(z.regex(REPOSITORY, 'must be owner/repository or owner/*')))
      .check(z.minLength(1, 'must name at least one repository')),
    'Repositories to read: owner/repository, or owner/* for all of an owner.',
  ),
  caFile: z.optional(
    describe(
      text,
      'Certificates (PEM) of an authority of your own, relative to this file. Default: those that Node knows.',
    ),
  ),
  tokenFile: z.optional(describe(text, 'File that holds the access token and nothing else, relative to this file.')),
});

/** Several of them. */
export const ServersSchema = z
  .array(
    z.extend(ServerSchema, {
      name: describe(
        z
          .string()
          .check(
            z.regex(SERVER_NAME, 'must be small letters, digits and hyphens, such as team'),
            z.maxLength(30, 'must have at most 30 characters'),
          ),
        'What references and paths of this server begin with, where there are several: team:owner/repository#5.',
      ),
    }),
  )
  .check(z.minLength(1, 'must name at least one server'));
