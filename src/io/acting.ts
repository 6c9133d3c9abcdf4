// Root that works in somebody's office does so as that account: what it makes belongs to it.

import { statSync } from 'node:fs';
import type { Config } from '../core/config/config.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { accountOf, nameOf } from './places.ts';

/**
 * Before anything is written: as root, goes on as the owner of the state folder. Throws exit 1 for another user than the
 * owner, who could leave files there that the owner cannot change, or leave no trace at all.
 */
export function actAsOwner({ stateDirectory }: Pick<Config, 'stateDirectory'>): void {
  const [user, owner] = [process.geteuid?.(), ownerOf(stateDirectory)];
  if (user === undefined || owner === null || owner.uid === user) return;
  if (user !== 0) {
    const name = nameOf(owner.uid) ?? String(owner.uid);
    throw new UserError(`this office belongs to ${name}: only that account may do this, and root`, {
      exitCode: EXIT.failure,
      code: 'not_the_owner',
      hint: 'repeat it with sudo in front (it goes on as that account); nothing was written',
    });
  }
  const account = accountOf(String(owner.uid));
  process.setgroups?.([...(account?.gids ?? [owner.gid])]);
  process.setgid?.(account?.gids[0] ?? owner.gid);
  process.setuid?.(owner.uid);
}

// Of the state folder; before there is one, nobody's.
function ownerOf(folder: string): { readonly uid: number; readonly gid: number } | null {
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() ? stat : null;
}
