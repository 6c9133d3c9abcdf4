import { refOf } from '../issue/issue.ts';
import type { Candidate } from '../issue/candidate.ts';
import { jsonText } from '../json-text.ts';
import { maskSecrets } from '../task/secrets.ts';
import { cleanLine } from '../task/untrusted.ts';

/** Syslog levels, as the journal takes them. */
const LEVELS = { error: 3, warning: 4, notice: 5, info: 6 } as const;

const EVENTS = {
  DISPATCHED: { sign: '✅', level: 'notice' },
  'ALREADY THERE': { sign: '⏭', level: 'info' },
  RECOVERED: { sign: '🔧', level: 'warning' },
  WARNING: { sign: '⚠️', level: 'warning' },
  ERROR: { sign: '❌', level: 'error' },
  BLOCKED: { sign: '🚧', level: 'warning' },
  UNBLOCKED: { sign: '🔓', level: 'notice' },
  NEWS: { sign: '📰', level: 'notice' },
  'FILE GONE': { sign: '🗑', level: 'warning' },
  'UNKNOWN AGENT': { sign: '👤', level: 'info' },
  ARCHIVED: { sign: '📦', level: 'notice' },
  'LEASE LOST': { sign: '⛓', level: 'warning' },
  WAITING: { sign: '⏳', level: 'info' },
  PAUSED: { sign: '⏸', level: 'notice' },
  RESUMED: { sign: '▶', level: 'notice' },
} as const;
type EventName = keyof typeof EVENTS;
type Level = keyof typeof LEVELS;

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
  return `${agent} → ${name} (${maskSecrets(cleanLine(issue.title))}) [Priority: ${priority}]`;
}

/** `[DISPATCHER] 2026/04/09 14:32:15.123456 ✅ DISPATCHED: ...`, in local time. `at`: epoch milliseconds with a fraction. */
export function textLine({ name, message }: LogEvent, at: number): string {
  return `[DISPATCHER] ${localStamp(at)} ${EVENTS[name].sign} ${name}: ${shown(name, message)}`;
}

/** The same event as one line of JSON. */
export function jsonLine({ name, message, facts }: LogEvent, at: number): string {
  return jsonText({
    time: new Date(at).toISOString(),
    level: EVENTS[name].level,
    event: name.toLowerCase().replace(' ', '_'),
    message: shown(name, message),
    ...facts,
  });
}

// What a program printed when it failed may stand in it. A dispatch has nothing of others but its title, masked by itself, so
// that its form stays what scripts look for.
function shown(name: EventName, message: string): string {
  const line = cleanLine(message, 1000);
  return name === 'DISPATCHED' ? line : maskSecrets(line);
}

/** `<5>`: tells the journal how weighty the line is. */
export function journalPrefix({ name }: LogEvent): string {
  return `<${LEVELS[EVENTS[name].level]}>`;
}

/** A line of the log file, read back. */
export interface LogLine {
  /** As it stands in the line, or null when the line is not one of ours. */
  readonly time: string | null;
  /** The event's word, such as `DISPATCHED`. */
  readonly name: string | null;
  readonly level: Level;
  readonly message: string;
}

const TEXT_LINE = /^\[DISPATCHER\] (\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6}) \S+ ([A-Z]+(?: [A-Z]+)*): (.*)$/u;

// Longer than any line that the dispatcher writes, its facts included.
const LONGEST_LINE = 32_000;

/** Reads a line of either form. What is not one of our lines comes back whole, as a message. Texts are cleaned. */
export function parseLogLine(whole: string): LogLine {
  const line = whole.slice(0, LONGEST_LINE);
  const [, time, name, message] = TEXT_LINE.exec(line) ?? [];
  if (time !== undefined && name !== undefined) {
    return { time, name, level: levelOf(name), message: cleanLine(message ?? '', 1000) };
  }
  const fields = jsonFields(line);
  const event = fields.get('event')?.toUpperCase().replace('_', ' ');
  if (event !== undefined) {
    return {
      time: cleanLine(fields.get('time') ?? '', 40) || null,
      name: cleanLine(event, 40),
      level: levelOf(event),
      message: cleanLine(fields.get('message') ?? '', 1000),
    };
  }
  return { time: null, name: null, level: 'info', message: cleanLine(line, 1000) };
}

function levelOf(name: string): Level {
  return Object.entries(EVENTS).find(([known]) => known === name)?.[1].level ?? 'info';
}

// The text fields of a JSON object; none when the line is something else.
function jsonFields(line: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = line.startsWith('{') ? JSON.parse(line) : {};
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return new Map(entries.flatMap(([key, field]) => (typeof field === 'string' ? [[key, field]] : [])));
  } catch {
    return new Map();
  }
}

function localStamp(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const microseconds = Math.floor((((at % 1000) + 1000) % 1000) * 1000);
  return `${day} ${time}.${String(microseconds).padStart(6, '0')}`;
}
