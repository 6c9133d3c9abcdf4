import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Workspace, workspace } from './command.ts';
import { type FakeGitea, type FakeGiteaOptions, startFakeGitea } from './gitea/server.ts';

export const TOKENS = { team: 'token-of-team', home: 'token-of-home' } as const;

/** An office with two servers, `team` and `home`. Both number their issues from 1, and have an acme/app. */
export interface TwoServers extends Workspace {
  readonly team: FakeGitea;
  readonly home: FakeGitea;
  /** Writes the configuration anew: with both, or with one of them alone. */
  readonly configure: (which: 'both' | 'team' | 'home', more?: string) => void;
}

/** Starts it. `more`: what stands in the configuration besides. */
export async function twoServers(
  more = '',
  options: { readonly team?: FakeGiteaOptions; readonly home?: FakeGiteaOptions } = {},
): Promise<TwoServers> {
  const at = await workspace({ tokens: [TOKENS.team], ...options.team });
  const home = await startFakeGitea({ tokens: [TOKENS.home], ...options.home });
  onTestFinished(async () => home.close());
  for (const [name, token] of Object.entries(TOKENS)) writeFileSync(join(at.folder, name), token, { mode: 0o600 });
  const entry = (name: 'team' | 'home'): string =>
    `url: "${(name === 'team' ? at.gitea : home).url}", repositories: [acme/app], tokenFile: ${name}`;
  const configure: TwoServers['configure'] = (which, besides = more) =>
    at.write(
      'dispatcher.yaml',
      which === 'both'
        ? `gitea:\n  - { name: team, ${entry('team')} }\n  - { name: home, ${entry('home')} }\nrateLimit: 1s\n${besides}`
        : `gitea: { ${entry(which)} }\nrateLimit: 1s\n${besides}`,
    );
  configure('both');
  // No token but those of the files.
  const run: Workspace['run'] = async (args, environment) => at.run(args, { GITEA_TOKEN: '', ...environment });
  return { ...at, run, team: at.gitea, home, configure };
}

/** Until the next slot is free. */
export async function nextSlot(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

/** The tokens that a server was ever sent. */
export function tokensSent({ requestHeaders }: FakeGitea): readonly string[] {
  return [...new Set(requestHeaders.map(({ authorization }) => authorization ?? ''))];
}
