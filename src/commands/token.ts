// Another access token in the place of the old one, stored only after it was tried.

import type { Config } from '../core/config/config.ts';
import { type Server, settingName } from '../core/config/servers.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { Finding } from '../core/health/finding.ts';
import { findingText } from '../views/doctor.ts';

export interface TokenDeps {
  readonly config: Config;
  /** Whose token it is. */
  readonly server: Server;
  /** The file that the unit hands over as a credential, when the configuration names none; null when there is no such unit. */
  readonly credential: () => Promise<string | null>;
  /** What was typed, or piped in. */
  readonly ask: (question: string) => Promise<string>;
  /** Asks the server as a pass would, with that token. Throws exit 4 when it is refused. */
  readonly tryToken: (value: string) => Promise<{
    readonly issues: number;
    readonly warnings: readonly string[];
    readonly login: string | null;
    /** Null: no receipt is configured, and nothing needs to be written. */
    readonly mayWrite: boolean | null;
  }>;
  readonly store: (file: string, value: string) => void;
  readonly print: (text: string) => void;
}

/** Asks for an access token, tries it, and stores it where the configuration or the unit has it. The old one stays if it fails. */
export async function token(deps: TokenDeps): Promise<ExitCode> {
  const { config, server, print } = deps;
  const key = settingName(server.name, 'tokenFile');
  const file = server.tokenFile ?? (await deps.credential());
  if (file === null) {
    throw new UserError(`there is no place to store a token: ${key} is not set, and no unit hands one over`, {
      exitCode: EXIT.invalid,
      code: 'token_homeless',
      hint: `name a file as ${key} in the configuration, then repeat this`,
    });
  }
  const value = (
    await deps.ask(
      `Access token with the scope ${scopeOf(config)} (make one at ${server.url}/user/settings/applications)`,
    )
  ).trim();
  if (!/^[\x21-\x7E]+$/u.test(value)) {
    throw new UserError(value === '' ? 'no token was given' : 'a token is one word of printable characters', {
      exitCode: EXIT.token,
      code: 'token_missing',
      hint: 'type it when asked, or: dispatcher token < FILE',
    });
  }
  const { issues, warnings, login, mayWrite } = await deps.tryToken(value);
  print(line('ok', 'token', `accepted by ${server.url}${login === null ? '' : `, of ${login}`}`));
  const [warning] = warnings;
  if (warning !== undefined || mayWrite === false) {
    throw new UserError(warning ?? 'the token may not write to issues, which receipts need', {
      exitCode: EXIT.token,
      code: 'token_too_small',
      hint: `nothing was stored; make one with the scope ${scopeOf(config)}, of a user that sees every repository in ${settingName(server.name, 'repositories')}`,
    });
  }
  print(line('ok', 'issues', `${issues} open can be read`));
  deps.store(file, value);
  print(line('ok', 'token', `stored in ${file}; the next pass uses it`));
  return EXIT.ok;
}

function scopeOf({ receipt: { reaction, label, comment } }: Config): string {
  return reaction === null && label === null && !comment ? 'read:issue' : 'write:issue';
}

function line(status: Finding['status'], check: string, message: string): string {
  return findingText({ check, status, message, fix: null });
}
