import type { Config } from '../core/config/config.ts';
import { type FullIssue } from '../core/issue/issue.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { GiteaSlice } from './pass-deps.ts';

/** What keeps a task back that no list tells. */
export interface Hold {
  readonly reason: 'blocked' | 'held';
  readonly message: string;
  /** The open issues in front of it, as far as they have a name. */
  readonly waitsFor: readonly string[];
}

const NAMED = 3;

/** Why an issue must wait although nothing in the list says so: open issues in front of it, or who assigned it. Null: nothing. */
export async function holdOf(
  gitea: Pick<GiteaSlice, 'readAssigner'>,
  { trust }: Pick<Config, 'trust'>,
  issue: FullIssue,
  agent: string,
): Promise<Hold | null> {
  const open = issue.blockers.filter((blocker) => blocker.open);
  if (open.length > 0) {
    const named = open
      .slice(0, NAMED)
      .map(({ ref, title }) => (ref === null ? title : `${ref} (${cleanLine(title, 80)})`));
    const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
    return {
      reason: 'blocked',
      message: `waits for ${named.join(', ')}${more}`,
      waitsFor: open.flatMap(({ ref }) => ref ?? []),
    };
  }
  const { assigners } = trust;
  if (assigners === null) return null;
  // An issue that was assigned when it was opened may have no such entry.
  const assigner = (await gitea.readAssigner(issue, agent)) ?? issue.author;
  return assigners.includes(assigner.toLowerCase())
    ? null
    : {
        reason: 'held',
        message: `it was assigned by ${cleanLine(assigner, 100)}, who is not among trust.assigners`,
        waitsFor: [],
      };
}

/** Of an issue whose repository is archived: nobody could comment there, push, or close it. */
export function archivedHold({ repository }: Pick<FullIssue, 'repository'>): Hold {
  return { reason: 'held', message: `its repository ${repository} is archived`, waitsFor: [] };
}
