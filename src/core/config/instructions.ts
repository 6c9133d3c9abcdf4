// Standing instructions: text of the operator that joins the rules of a task. It is trusted, and nobody on Gitea can change it.

import { bareName } from './servers.ts';
import type { RawConfig } from './schema.ts';

export interface Instructions {
  /** By lower-cased login. */
  readonly agents: ReadonlyMap<string, string>;
  /** By lower-cased `owner/name` or `owner/*`. */
  readonly repositories: ReadonlyMap<string, string>;
  /** By lower-cased label. */
  readonly labels: ReadonlyMap<string, string>;
}

/** Instructions by keys that do not tell upper from lower case, as Gitea's names do not. */
export function normaliseInstructions(raw: RawConfig['instructions']): Instructions {
  const byPlain = (texts: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> =>
    new Map(Object.entries(texts ?? {}).map(([key, text]) => [plainLabel(key), text.trim()]));
  return {
    agents: byPlain(raw?.agents),
    repositories: byPlain(raw?.repositories),
    labels: byPlain(raw?.labels),
  };
}

/** The instructions for a task: of its agent, its repository and its labels, in this order, each once. */
export function instructionsFor(
  { agents, repositories, labels }: Instructions,
  agent: string,
  issue: { readonly repository: string; readonly labels: readonly string[] },
): readonly string[] {
  // Of several servers a name alone means each of them.
  const names = [...new Set([bareName(issue.repository), issue.repository])].map((name) => name.toLowerCase());
  const texts = [
    agents.get(agent),
    ...names.map((name) => repositories.get(`${name.split('/')[0]}/*`)),
    ...names.map((name) => repositories.get(name)),
    ...issue.labels.map((label) => labels.get(plainLabel(label))),
  ];
  return [...new Set(texts.filter((text) => text !== undefined))];
}

/** A label as it is compared. */
export function plainLabel(label: string): string {
  return label.trim().toLowerCase();
}
