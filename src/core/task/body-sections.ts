// Sections of an issue's text that tell when it is done, and how one sees that.

const NAMES = {
  stepsToReproduce: /^(?:steps to reproduce|how to reproduce|to reproduce|reproduction(?: steps)?)$/iu,
  validation: /^(?:validation|how to validate|verification|how to verify)$/iu,
  testPlan: /^(?:test plan|testing|how to test|tests)$/iu,
} as const;
const CRITERIA = /^(?:acceptance criteria|acceptance|definition of done|done when)$/iu;
const CHECKBOX = /^\s*(?:[-*+]|\d+[.)])\s+\[[ xX]\]\s/u;
/** No heading that is looked for is longer. */
const LONGEST_HEADING = 200;

/** The section under such a heading, else its checkbox lines, else nothing. */
export function acceptanceCriteria(text: string): string {
  const { lines, headings } = outlineOf(text);
  return (
    under(lines, headings, CRITERIA) ?? lines.filter((line) => CHECKBOX.test(line.slice(0, LONGEST_HEADING))).join('\n')
  );
}

/** The section of that kind, else nothing. */
export function sectionOf(text: string, kind: keyof typeof NAMES): string {
  const { lines, headings } = outlineOf(text);
  return under(lines, headings, NAMES[kind]) ?? '';
}

interface Heading {
  readonly line: number;
  /** The first line below it. */
  readonly below: number;
  /** 1 to 6; 7 for a line that is only bold. */
  readonly level: number;
  readonly text: string;
}

function under(lines: readonly string[], headings: readonly Heading[], name: RegExp): string | undefined {
  const index = headings.findIndex(({ text }) => name.test(text));
  const heading = headings[index];
  if (!heading) return undefined;
  const next = headings.slice(index + 1).find(({ level }) => level <= heading.level);
  return lines.slice(heading.below, next?.line).join('\n').trim();
}

function outlineOf(text: string): { readonly lines: readonly string[]; readonly headings: readonly Heading[] } {
  const lines = text.split('\n');
  const headings: Heading[] = [];
  let fence: string | null = null;
  for (const [line, content] of lines.entries()) {
    const [mark] = /^ {0,3}(?:`{3,}|~{3,})/u.exec(content) ?? [];
    if (mark !== undefined) {
      const sign = mark.trimStart();
      if (fence === null) fence = sign;
      else if (sign.startsWith(fence)) fence = null;
    }
    if (fence !== null || mark !== undefined) continue;
    const found = headingOf(content, lines[line + 1] ?? '');
    if (found) headings.push({ line, below: line + (found.isUnderlined ? 2 : 1), ...found });
  }
  return { lines, headings };
}

// Without an expression for all of it: how blanks and signs are shared out would be tried in every way, and a line of
// 20,000 blanks took a pass its whole life.
function headingOf(line: string, next: string) {
  const isUnderlined = /^(?:=+|-{2,})$/u.test(next.slice(0, LONGEST_HEADING).trimEnd()) && line.trim() !== '';
  const [signs] = line.startsWith('#') ? (/^#{1,6}(?=\s)/u.exec(line) ?? []) : [];
  if (signs !== undefined) return { isUnderlined: false, level: signs.length, text: named(line.slice(signs.length)) };
  if (isUnderlined) return { isUnderlined, level: next.startsWith('=') ? 1 : 2, text: named(line) };
  const bold = line.slice(0, LONGEST_HEADING).trim();
  const isBold = /^\*\*[^*]+\*\*:?$|^__[^_]+__:?$/u.test(bold);
  return isBold ? { isUnderlined: false, level: 7, text: named(bold) } : undefined;
}

// The words of a heading, without its closing signs, emphasis and colon.
function named(heading: string): string {
  const signs = new Set(['#', '*', '_', ':', ' ', '\t']);
  const text = heading.slice(0, LONGEST_HEADING);
  let end = text.length;
  while (signs.has(text[end - 1] ?? '')) end -= 1;
  let start = 0;
  while (start < end && signs.has(text[start] ?? '')) start += 1;
  return text.slice(start, end);
}
