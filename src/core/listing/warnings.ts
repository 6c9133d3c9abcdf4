import type { Scope } from './scope.ts';
import type { ScopeState } from './scope-state.ts';

/** What is said of configured repositories that have another name now. */
export function renamedTexts(scope: Scope, names: ScopeState['names']): readonly string[] {
  return Object.entries(names).flatMap(([configured, { now }]) => {
    if (!scope.isNamed(configured) || now.toLowerCase() === configured) return [];
    const [owner] = now.toLowerCase().split('/');
    return owner === configured.split('/')[0]
      ? [`${configured} is called ${now} now, and followed there: change gitea.repositories`]
      : [
          `${configured} belongs to somebody else now (${now}), and is not read: if that is meant, put it into gitea.repositories`,
        ];
  });
}

/** How far a first listing is. */
export function unfinishedText({ name }: Scope, { open, total }: ScopeState): string {
  const of = total === null ? '' : ` of ${total}`;
  return `${name}: ${open.size()}${of} open issues are listed; nothing goes before all are, and the next pass goes on`;
}
