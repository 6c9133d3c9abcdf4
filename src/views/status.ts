import type { ChalkInstance } from 'chalk';
import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { Priority } from '../core/issue/priority.ts';
import { type AgentStatus, notListed } from '../core/health/agent-status.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import { sinceOf, stateWord, type TaskStatus } from '../core/task/status.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { columns, fitted } from './columns.ts';
import { countsText } from './counts.ts';
import { agentPauses, HEALTH_SIGNS, healthSentence, reasonsText, sentenceText, slotSentence } from './health.ts';
import { machineLines } from './store.ts';
import { stageSentence, taskName } from './stage.ts';

interface Screen {
  readonly now: Instant;
  readonly width: number;
  readonly chalk: ChalkInstance;
  readonly unicode: boolean;
  /** A remedy as it is to be typed here; without it as it is. */
  readonly remedy?: (fix: string) => string;
}

const NARROW = 60;
const DONE_SHOWN = 5;

/** The status as people read it on a terminal: health, slot, and a table per agent. */
export function statusScreen(snapshot: Snapshot, screen: Screen): string {
  const { now, chalk, width, remedy = (fix: string): string => fix } = screen;
  const health = healthSentence(snapshot);
  const slot = sentenceText(slotSentence(snapshot), now);
  const paint = {
    ok: chalk.green,
    late: chalk.yellow,
    paused: chalk.yellow,
    never_run: chalk.yellow,
    stale: chalk.red,
    failing: chalk.red,
  };
  const lines = [paint[snapshot.health](`${HEALTH_SIGNS[snapshot.health]} ${sentenceText(health.parts, now)}`)];
  if (health.fix) lines.push(`  fix: ${remedy(health.fix)}`);
  lines.push(...(slot === '' ? [] : [slot]));
  for (const parts of agentPauses(snapshot)) lines.push(chalk.yellow(`‖ ${remedy(sentenceText(parts, now))}`));
  lines.push('');
  for (const agent of snapshot.agents) lines.push(...agentBlock(agent, screen), '');
  if (snapshot.agents.length === 0 && snapshot.lastSuccessAt !== null) {
    lines.push('No open issue is assigned to an agent. Assign one on Gitea; the next pass sees it.', '');
  }
  if (snapshot.hosts) lines.push(...machineLines(snapshot.hosts, now, width), '');
  if (snapshot.counts.skipped > 0) lines.push(chalk.dim(skippedLine(snapshot)), '');
  for (const warning of snapshot.warnings)
    lines.push(chalk.yellow(fitted(`warning: ${warning}`, Math.max(width, 200))));
  const text = `${lines.join('\n').trimEnd()}\n`;
  return screen.unicode ? text : toAscii(text);
}

/** The status for other programs: one task a line, tab-separated, full values. */
export function statusTsv(snapshot: Snapshot): string {
  return snapshot.agents
    .flatMap((agent) =>
      agent.tasks.map((task) =>
        [agent.name, task.priority, task.ref, task.title, stateWord(task), sinceOf(task)]
          .map((value) => value ?? '')
          .join('\t'),
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function agentBlock(agent: AgentStatus, screen: Screen): readonly string[] {
  const { name, counts, tasks, directory } = agent;
  const { chalk, width } = screen;
  const title = `${chalk.bold(name)}  ${countsText({ counts })}`;
  const hidden = Math.max(0, counts.done - DONE_SHOWN);
  const shown = tasks.slice(0, tasks.length - hidden);
  if (shown.length === 0) return [title, '  Nothing dispatched, nothing waiting.'];
  const left = notListed(agent);
  const more = [
    ...(left > 0 ? [`  and ${left} more that wait or were passed over`] : []),
    ...(hidden > 0 ? [`  and ${hidden} more done`] : []),
  ];
  if (width < NARROW) return [title, ...shown.flatMap((task) => narrowTask(task, screen)), ...more];
  const heads = [
    { header: 'PRIORITY' },
    { header: 'ISSUE' },
    { header: 'TITLE', shrinks: true as const },
    { header: 'STATE' },
    { header: 'AGE' },
  ];
  const rows = shown.map((task) => [
    task.priority ?? 'unknown',
    task.ref ?? 'unknown',
    task.title ?? cleanLine(task.file?.slice(directory.length + 1) ?? ''),
    stateWord(task),
    ageOf(task, screen.now),
  ]);
  const [head = '', ...lines] = columns(heads, rows, width - 2);
  const painted = lines.map((line, index) => paintPriority(line, shown[index]?.priority ?? null, chalk));
  const notes = shown.flatMap((task) => noteOf(task, screen));
  return [title, chalk.dim(`  ${head}`), ...painted.map((line) => `  ${line}`), ...more, ...notes];
}

// What somebody has to do something about, and what came back, with why.
function noteOf(task: TaskStatus, { now, width }: Screen): readonly string[] {
  const isTold = task.stage === 'blocked' || task.stage === 'new' || task.stalled !== null;
  const sentence = isTold ? stageSentence(task, now) : null;
  if (sentence === null) return [];
  const remedy = task.stalled === null ? '' : '. Take it over: dispatcher next --stalled';
  return [fitted(`  ${taskName(task)} ${sentence}${remedy}`, Math.max(width, 200))];
}

function narrowTask(task: TaskStatus, { now, width, chalk }: Screen): readonly string[] {
  const head = `  ${task.priority ?? 'unknown'} ${task.ref ?? ''}  ${stateWord(task)} ${ageOf(task, now)}`;
  return [paintPriority(head, task.priority, chalk), fitted(`    ${task.title ?? ''}`, width)];
}

// Colour repeats what the word says, and never says more.
function paintPriority(line: string, priority: Priority | null, chalk: ChalkInstance): string {
  const paint = { CRITICAL: chalk.bold.red, HIGH: chalk.yellow, NORMAL: chalk.reset, LOW: chalk.dim };
  return priority ? line.replace(priority, paint[priority](priority)) : line;
}

function skippedLine(snapshot: Snapshot): string {
  return `Skipped: ${reasonsText(snapshot)}. See: dispatcher explain`;
}

function ageOf(task: TaskStatus, now: Instant): string {
  const at = fromRfc3339(sinceOf(task) ?? '');
  return at === undefined ? '?' : shortDuration(now - at);
}

const ASCII: Readonly<Record<string, string>> = {
  '●': '*',
  '○': 'o',
  '▲': '!',
  '✖': 'x',
  '‖': '||',
  '…': '...',
  '→': '->',
  '·': '-',
};

function toAscii(text: string): string {
  return text.replaceAll(new RegExp(`[${Object.keys(ASCII).join('')}]`, 'gu'), (sign) => ASCII[sign] ?? sign);
}
