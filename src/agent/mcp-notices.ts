// What a client is told without asking: that a task appeared, and that one which is worked on has news.

import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { AgentDeps } from './agent-deps.ts';
import { uriOf } from './mcp-tasks.ts';

const LOOK_AGAIN_MS = 5000;

interface Picture {
  /** New tasks, by path. */
  readonly fresh: ReadonlyMap<string, string>;
  /** Tasks that are worked on, with how much news each has. */
  readonly doing: ReadonlyMap<string, number>;
}

/** Watches until it is interrupted. Whoever left is told nothing, which is no failure. */
export async function watchMailbox(server: McpServer, deps: AgentDeps, subscribed: ReadonlySet<string>): Promise<void> {
  let before = pictureOf(deps);
  while (!deps.isInterrupted()) {
    await deps.waitForChange(LOOK_AGAIN_MS);
    const now = pictureNow(deps) ?? before;
    await told(server, subscribed, before, now).catch(() => {});
    before = now;
  }
}

async function told(server: McpServer, subscribed: ReadonlySet<string>, before: Picture, now: Picture): Promise<void> {
  const appeared = [...now.fresh].filter(([home]) => !before.fresh.has(home) && !before.doing.has(home));
  if (appeared.length > 0) {
    server.sendResourceListChanged();
    const data = { event: 'new_task', tasks: appeared.map(([, ref]) => ref) };
    await server.server.sendLoggingMessage({ level: 'info', logger: 'dispatcher', data });
  }
  for (const [home, count] of now.doing) {
    const uri = uriOf({ home });
    // One that was taken since the last look is told with all its news: between two looks, some may have come after that.
    if (count <= (before.doing.get(home) ?? (before.fresh.has(home) ? 0 : count))) continue;
    if (subscribed.has(uri)) await server.server.sendResourceUpdated({ uri });
    await server.server.sendLoggingMessage({
      level: 'info',
      logger: 'dispatcher',
      data: { event: 'task_news', task: uri },
    });
  }
}

// Null: the mailbox cannot be looked into now. The session outlives that, and its client is to hear of what comes later.
function pictureNow(deps: AgentDeps): Picture | null {
  try {
    return pictureOf(deps);
  } catch {
    return null;
  }
}

function pictureOf({ mailbox }: AgentDeps): Picture {
  const { tasks } = mailbox.look(['new', 'doing']);
  const doing = tasks.filter(({ stage }) => stage === 'doing');
  return {
    fresh: new Map(tasks.flatMap(({ stage, home, ref }) => (stage === 'new' ? [[home, ref || home]] : []))),
    doing: new Map(doing.map((task) => [task.home, mailbox.companions(task).news.length])),
  };
}
