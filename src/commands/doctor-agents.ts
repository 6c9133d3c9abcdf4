// Agents with Unix users of their own, beside the dispatcher's: whether each can do its work, and no more.

import type { Config } from '../core/config/config.ts';
import { agentFolders } from '../core/config/mend.ts';
import type { Finding } from '../core/health/finding.ts';
import { shellWord } from '../core/shell-word.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { Account } from '../io/places.ts';

export interface AgentRightsDeps {
  /** Who runs this. */
  readonly userName: string;
  /** What is wrong with the folders of agents, as far as this user can see, and what mends it. */
  readonly folderTroubles: (
    config: Config,
  ) => readonly { readonly agent: string; readonly what: string; readonly mend: string }[];
  readonly account: (name: string) => Account | null;
  /** The name of the account that owns what is there, with its group's name and the mode; null when nothing is there. */
  readonly ownership: (
    path: string,
  ) => { readonly owner: string; readonly group: string; readonly mode: number } | null;
  readonly closedFolder: (path: string, account: Account) => string | null;
}

/** What keeps an agent's folder from being used: nothing is dispatched to that agent until it is mended. */
export function* agentFolderFindings(
  config: Config,
  isRunner: boolean,
  { folderTroubles, userName }: AgentRightsDeps,
): Generator<Finding> {
  // What another user may do there, this one cannot try.
  if (!isRunner) {
    const message = `${userName} is not who the passes run as, and cannot tell whether those may use them`;
    yield { check: 'agent folders', status: 'skipped', message, fix: null };
    return;
  }
  const troubles = folderTroubles(config);
  for (const { agent, what, mend } of troubles) {
    const message = `nothing is dispatched to ${agent} (folder_unusable): ${cleanLine(what, 500)}`;
    yield { check: 'agent folders', status: 'failed', message, fix: cleanLine(mend, 1000) };
  }
  if (troubles.length === 0) {
    yield { check: 'agent folders', status: 'ok', message: 'each can be read and written', fix: null };
  }
}

/** What is to say of the folders of such agents. `runsAs` is who the passes run as. */
export function* agentRightsFindings(config: Config, runsAs: string, deps: AgentRightsDeps): Generator<Finding> {
  const { tasksDirectory, stateDirectory } = config;
  const users = [...(config.agents?.keys() ?? [])].filter((agent) => {
    const account = agent === runsAs ? null : deps.account(agent);
    return account !== null && account.uid !== 0;
  });
  if (users.length === 0) return;
  for (const path of [tasksDirectory, stateDirectory]) {
    const found = deps.ownership(path);
    if (!found || (found.mode & 0o022) === 0) continue;
    yield failed(`others than ${found.owner} may write in ${path}`, `sudo chmod 0750 ${shellWord(path)}`);
  }
  for (const agent of users) yield agentFinding(tasksDirectory, runsAs, agent, deps);
}

function agentFinding(tasksDirectory: string, runsAs: string, agent: string, deps: AgentRightsDeps): Finding {
  const wrong = agentFolders(tasksDirectory, runsAs, agent).filter(({ path, owner, group, mode }) => {
    const found = deps.ownership(path);
    return found?.owner !== owner || found.group !== group || found.mode !== mode;
  });
  const [first] = wrong;
  if (first) {
    return failed(
      `${agent} is a Unix user, and ${first.path} is not a folder in which ${runsAs} and ${agent} can both work`,
      `sudo install -d -m 2775 -o ${runsAs} -g ${agent} ${wrong.map(({ path }) => shellWord(path)).join(' ')}`,
    );
  }
  const account = deps.account(agent);
  const closed = account ? deps.closedFolder(`${tasksDirectory}/${agent}/done/.`, account) : null;
  if (closed !== null) return failed(`${agent} cannot get into ${closed}`, `sudo usermod -aG ${runsAs} ${agent}`);
  const message = `${agent} may write in its own folder, and nowhere else`;
  return { check: 'agent rights', status: 'ok', message, fix: null };
}

function failed(message: string, fix: string): Finding {
  return { check: 'agent rights', status: 'failed', message, fix };
}
