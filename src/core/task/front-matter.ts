// The front matter of a task file: `key: value`, each value one JSON literal on one line. Every YAML parser reads that
// back to the same value, and so does JSON.parse line by line.

/** What the front matter of a task names as its schema. */
export const TASK_SCHEMA = 'dispatcher.task/1';

export type FrontMatterValue = string | number | null | readonly string[];

/** Renders the block with its `---` fences and a final line feed. Keys keep their order. */
export function renderFrontMatter(fields: Readonly<Record<string, FrontMatterValue>>): string {
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${yamlSafeJson(value)}`);
  return ['---', ...lines, '---', ''].join('\n');
}

/** Reads the fields of a task file's beginning; undefined when there is no complete front matter. Lines that are not JSON are left out. */
export function parseFrontMatter(text: string): ReadonlyMap<string, unknown> | undefined {
  const block = blockOf(text);
  if (block === undefined) return undefined;
  const fields = new Map<string, unknown>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon < 0) continue;
    try {
      fields.set(line.slice(0, colon), JSON.parse(line.slice(colon + 2)));
    } catch {
      // An agent edited this line: its value is unknown, the others are not.
    }
  }
  return fields;
}

// More than any front matter of ours has.
const LONGEST = 65_536;

// What stands between the fences, each a line of its own.
function blockOf(text: string): string | undefined {
  if (!text.startsWith('---\n')) return undefined;
  const beginning = text.slice(0, LONGEST);
  const close = beginning.indexOf('\n---\n', 3);
  if (close >= 0) return beginning.slice(4, close + 1);
  return beginning.length === text.length && text.endsWith('\n---') ? text.slice(4, -3) : undefined;
}

// YAML forbids a few characters that JSON leaves unescaped: DEL, C1 controls, line separators and non-characters.
function yamlSafeJson(value: FrontMatterValue): string {
  return JSON.stringify(value).replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
