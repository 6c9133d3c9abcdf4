import { type AgentStatus, notListed } from '../../core/health/agent-status.ts';
import type { Snapshot } from '../../core/health/snapshot.ts';
import { isPaused } from './front.ts';
import { countsText } from '../counts.ts';
import { agentHref, type Frame, frameData, taskRow } from './parts.ts';

const PER_PAGE = 200;

/** The data of `agent.hbs`: all tasks of an agent, 200 a page. `page` counts from 1. */
export function agentPage(agent: AgentStatus, snapshot: Snapshot, page: number, frame: Frame) {
  const total = Math.max(1, Math.ceil(agent.tasks.length / PER_PAGE));
  const shown = Math.min(Math.max(1, page), total);
  const rows = agent.tasks.slice((shown - 1) * PER_PAGE, shown * PER_PAGE).map((task) => taskRow(task, agent, frame));
  const href = (number: number): string => `${agentHref(agent.name)}?page=${number}`;
  return {
    ...frameData(frame, `${agent.name} – Dispatcher`, 'ok', ''),
    name: agent.name,
    counts: countsText(agent),
    directory: agent.directory,
    paused: isPaused(agent.name, snapshot),
    rows: rows.length > 0 ? rows : null,
    notListed: notListed(agent),
    pages:
      total === 1
        ? null
        : {
            text: `page ${shown} of ${total}`,
            before: shown > 1 ? href(shown - 1) : null,
            after: shown < total ? href(shown + 1) : null,
          },
  };
}
