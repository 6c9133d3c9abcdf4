import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { credentialName, type Server, settingName, tokenVariable } from '../core/config/servers.ts';
import { EXIT, hintOf, lacksRights, messageOf, systemCode, UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell-word.ts';
import { createFolders } from './files.ts';
import { readSecret } from './secret-file.ts';

export interface Token {
  readonly value: string;
  /** Where it came from, for messages. */
  readonly source: string;
  /** Something the user should mend although it works. */
  readonly warning: string | null;
}

/**
 * The access token of a server: its `tokenFile` if this user may read it, else systemd's credential `gitea-token`, else
 * `$GITEA_TOKEN`; where there are several servers `gitea-token-NAME` and `$GITEA_TOKEN_NAME`, so that none gets another's. Throws
 * exit 4 when there is none or it cannot be read; the message never holds the token.
 */
export function readToken(server: Pick<Server, 'name' | 'tokenFile'>, environment: NodeJS.ProcessEnv): Token {
  const { name, tokenFile } = server;
  const credentials = environment['CREDENTIALS_DIRECTORY'];
  const credential = credentials ? join(credentials, credentialName(name)) : null;
  const isHandedOver = credential !== null && statSync(credential, { throwIfNoEntry: false }) !== undefined;
  // A file that only root reads reaches the service as a credential: `systemd install` has the unit hand it over.
  const isShut = tokenFile !== null && isHandedOver && !canRead(tokenFile);
  if (tokenFile !== null && !isShut)
    return fromFile(tokenFile, { source: settingName(name, 'tokenFile'), isOurs: true });
  if (isHandedOver) return readCredential(credential, name);
  const variable = tokenVariable(name);
  const value = environment[variable]?.trim();
  if (value) return checked(value, `$${variable}`, null);
  const key = settingName(name, 'tokenFile');
  throw new UserError(
    `no Gitea token${name === null ? '' : ` for the server ${name}`}: ${key} is not set, there is no systemd credential, and $${variable} is empty`,
    {
      exitCode: EXIT.token,
      code: 'token_missing',
      hint: `put the token into a file that only you can read and name it as ${key}, or export ${variable} (a credential of the systemd unit is there for the unit alone)`,
    },
  );
}

/** The token in the file that systemd hands to the service as a credential. Throws exit 4 when it cannot be read. */
export function readCredential(file: string, server: string | null): Token {
  return fromFile(file, { source: `the systemd credential ${credentialName(server)}`, isOurs: false });
}

/**
 * Stores a token in place of the one that is there: at once, for its owner, who stays the same, and for its group where that may
 * read it and nobody else does. The first one that root stores is the workspace's owner's, who runs the passes. Throws exit 4.
 */
export function storeToken(file: string, value: string, workspace: string | null): void {
  try {
    createFolders(dirname(file));
    // A link is somebody's wish to have it elsewhere.
    const path = behindLinks(file);
    const there = statSync(path, { throwIfNoEntry: false });
    const draft = `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(draft, `${value}\n`, { mode: 0o600, flag: 'wx' });
      const made = statSync(draft);
      const mine =
        there ?? (made.uid === 0 && workspace !== null ? statSync(workspace, { throwIfNoEntry: false }) : null);
      // Whoever the group lets read it, such as the service of a file that is root's, must be able to go on.
      const mode = there && (there.mode & 0o044) === 0o040 ? 0o640 : 0o600;
      if (mine && (mine.uid !== made.uid || (mode === 0o640 && mine.gid !== made.gid)))
        chownSync(draft, mine.uid, mine.gid);
      chmodSync(draft, mode);
      renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  } catch (error) {
    throw new UserError(`the token cannot be stored in ${file}: ${messageOf(error)}`, {
      exitCode: EXIT.token,
      code: 'token_unwritable',
      // Another user may have the right; nobody has more room.
      hint:
        (lacksRights(error) ? null : hintOf(error)) ??
        'run it as the owner of that file, or with sudo: sudo dispatcher token',
      cause: error,
    });
  }
}

// Also behind one whose file is yet to be made; not behind links that lead in a circle.
function behindLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
    return isLink ? behindLinks(resolve(dirname(file), readlinkSync(file))) : file;
  }
}

/** The password of the dashboard. Throws exit 78 when it cannot be read, or is too short to keep anybody out. */
export function readPassword(file: string): { readonly value: string; readonly warning: string | null } {
  const invalid = (why: string, cause?: unknown): UserError =>
    new UserError(`the password of the dashboard in ${file} ${why}`, {
      exitCode: EXIT.invalid,
      code: 'password_unusable',
      hint: `make one that this user can read: (umask 077; openssl rand -hex 16 > ${shellWord(file)})`,
      cause,
    });
  let found: { readonly value: string; readonly warning: string | null };
  try {
    found = readSecret(file);
  } catch (error) {
    throw invalid(`cannot be read: ${messageOf(error)}`, error);
  }
  if (!/^[\x21-\x7E]{12,}$/u.test(found.value)) throw invalid('is not one word of at least 12 printable characters');
  return found;
}

function canRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch (error) {
    return systemCode(error) !== 'EACCES';
  }
}

// A credential that systemd hands over is mounted for this service alone, whatever its mode says: it is not ours to mend.
function fromFile(file: string, { source, isOurs }: { readonly source: string; readonly isOurs: boolean }): Token {
  try {
    const { value, warning } = readSecret(file);
    return checked(value, `${file} (${source})`, isOurs ? warning : null);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const denied = systemCode(error) === 'EACCES';
    throw new UserError(`the token file cannot be read: ${messageOf(error)}`, {
      exitCode: EXIT.token,
      code: 'token_missing',
      hint: denied
        ? `let this user read ${file}, or run the command as the user the timer runs as`
        : `check ${source}, or create the file with the token as its only line`,
      cause: error,
    });
  }
}

function checked(value: string, source: string, warning: string | null): Token {
  // A line break or control character in the header would be refused by the HTTP layer with the token in its message.
  if (/^[\x21-\x7E]+$/u.test(value)) return { value, source, warning };
  throw new UserError(
    `the token from ${source} is ${value === '' ? 'empty' : 'not one word of printable characters'}`,
    {
      exitCode: EXIT.token,
      code: 'token_missing',
      hint: 'the file must hold the token and nothing else',
    },
  );
}
