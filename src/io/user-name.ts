import { userInfo } from 'node:os';

/** Who this process runs as, for a command such as `chown`: the account's name, or its number where it has none. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}
