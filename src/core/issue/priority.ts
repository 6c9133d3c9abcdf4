/** How urgent an issue is, most urgent first. */
export const PRIORITIES = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface RatedPriority {
  readonly priority: Priority;
  /** Where it was read: `label:<name as on Gitea>`, `title` or `default`. */
  readonly source: string;
}

// Gitea's stock label set says Medium where everybody else says normal.
const WORDS: Readonly<Record<string, Priority>> = {
  critical: 'CRITICAL',
  high: 'HIGH',
  normal: 'NORMAL',
  medium: 'NORMAL',
  low: 'LOW',
  p0: 'CRITICAL',
  p1: 'HIGH',
  p2: 'NORMAL',
  p3: 'LOW',
};
const WORD = Object.keys(WORDS).join('|');
// Each run of blanks has one reading only, and what is longer names no priority: a stranger may write megabytes of them.
const LABEL = new RegExp(`^(?:(?:priority|prio)(?:\\s*[/:_.-]\\s*|\\s+))?(${WORD})$`, 'iu');
const TITLE = new RegExp(`^\\s*(?:\\[\\s*(${WORD})\\s*\\]|(${WORD})\\s*:)`, 'iu');
const LONGEST = 255;

/** 0 for CRITICAL to 3 for LOW. */
export function rank(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

/** The priority a word names (`critical`, `Medium`, `P1`), or undefined. */
export function priorityNamed(word: string): Priority | undefined {
  return WORDS[word.trim().toLowerCase()];
}

/**
 * Rates an issue: the most urgent of its labels, else its title, else NORMAL.
 * `extraLabels` maps lower-cased label names of the configuration; they win over the built-in spellings.
 */
export function ratePriority(
  labels: readonly string[],
  title: string,
  extraLabels: ReadonlyMap<string, Priority>,
): RatedPriority {
  const [mostUrgent] = labels
    .flatMap((label) => {
      if (label.length > LONGEST) return [];
      const priority = extraLabels.get(label.trim().toLowerCase()) ?? labelPriority(label);
      return priority ? [{ priority, source: `label:${label}` }] : [];
    })
    .toSorted((a, b) => rank(a.priority) - rank(b.priority));
  if (mostUrgent) return mostUrgent;
  const match = TITLE.exec(title.slice(0, LONGEST));
  const inTitle = priorityNamed(match?.[1] ?? match?.[2] ?? '');
  return inTitle ? { priority: inTitle, source: 'title' } : { priority: 'NORMAL', source: 'default' };
}

function labelPriority(label: string): Priority | undefined {
  return priorityNamed(LABEL.exec(label.trim())?.[1] ?? '');
}
