import { refOf } from './issue.ts';
import type { Candidate } from './candidate.ts';
import { cleanLine } from './untrusted.ts';

/** Syslog levels, as the journal takes them. */
const LEVELS = { error: 3, warning: 4, notice: 5, info: 6 } as const;

const EVENTS = {
  DISPATCHED: { sign: '✅', level: 'notice' },
  'ALREADY THERE': { sign: '⏭', level: 'info' },
  RECOVERED: { sign: '🔧', level: 'warning' },
  WARNING: { sign: '⚠️', level: 'warning' },
  ERROR: { sign: '❌', level: 'error' },
  ARCHIVED: { sign: '📦', level: 'notice' },
  WAITING: { sign: '⏳', level: 'info' },
} as const;
type EventName = keyof typeof EVENTS;

export interface LogEvent {
  readonly name: EventName;
  readonly message: string;
  /** Facts for the JSON form. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>;
}

/** `hans → Issue #2 (title) [Priority: CRITICAL]`, the form that people's scripts already search for. */
export function dispatchMessage(candidate: Candidate, single: boolean): string {
  const { issue, agent, priority } = candidate;
  const name = single ? `Issue #${issue.number}` : refOf(issue);
  return `${agent} → ${name} (${cleanLine(issue.title)}) [Priority: ${priority}]`;
}

/** `[DISPATCHER] 2026/04/09 14:32:15.123456 ✅ DISPATCHED: ...`, in local time. `at`: epoch milliseconds with a fraction. */
export function textLine({ name, message }: LogEvent, at: number): string {
  return `[DISPATCHER] ${localStamp(at)} ${EVENTS[name].sign} ${name}: ${cleanLine(message, 1000)}`;
}

/** The same event as one line of JSON. */
export function jsonLine({ name, message, facts }: LogEvent, at: number): string {
  return JSON.stringify({
    time: new Date(at).toISOString(),
    level: EVENTS[name].level,
    event: name.toLowerCase().replace(' ', '_'),
    message: cleanLine(message, 1000),
    ...facts,
  });
}

/** `<5>`: tells the journal how weighty the line is. */
export function journalPrefix({ name }: LogEvent): string {
  return `<${LEVELS[EVENTS[name].level]}>`;
}

function localStamp(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const microseconds = Math.floor((((at % 1000) + 1000) % 1000) * 1000);
  return `${day} ${time}.${String(microseconds).padStart(6, '0')}`;
}
