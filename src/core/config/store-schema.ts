// `store`: that several machines share a database.

import * as z from 'zod/mini';
import { describe, duration, text } from './schema-parts.ts';

const URL_FORM = /^postgres(?:ql)?:\/\/\S+$/u;

/** The database, and what this machine is called at it. */
export const StoreSchema = z.strictObject({
  url: z.optional(
    describe(
      z.string().check(z.regex(URL_FORM, 'must be an address such as postgres://dispatcher@db.example.com/dispatcher')),
      'Address of the PostgreSQL database that several machines share. With a password rather in urlFile.',
    ),
  ),
  urlFile: z.optional(describe(text, 'File that holds that address and nothing else, relative to this file.')),
  host: z.optional(
    describe(
      z
        .string()
        .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/u, 'must be up to 63 letters, digits, dots, _ and -')),
      "Name of this machine among the others. Default: the system's host name",
    ),
  ),
  lease: z.optional(
    describe(duration, 'A machine that does not come for so long loses the tasks that are new or taken. Default: 5m'),
  ),
  schema: z.optional(
    describe(
      z.string().check(z.regex(/^[a-z][a-z0-9_]{0,40}$/u, 'must be up to 41 small letters, digits and _')),
      'Schema in the database, one for each office. Default: dispatcher',
    ),
  ),
  caFile: z.optional(
    describe(text, "Certificates (PEM) of the authority of the database's certificate, relative to this file."),
  ),
});
