import { cleanText } from './untrusted.ts';

/** A part of a task file's text: our own, or copied from Gitea. */
export interface TaskSection {
  /** Who wrote what when, as the marker says; null for our own text. */
  readonly quoted: string | null;
  /** Markdown, cleaned; quoted text without its `> `. */
  readonly text: string;
}

const BEGIN = /^<!-- BEGIN GITEA TEXT (\w+): (.*) -->$/u;

/** Tells the dispatcher's text and the quoted texts of a task file's body apart, by the markers that stand around these. */
export function taskSections(body: string): readonly TaskSection[] {
  const sections: TaskSection[] = [];
  let own: string[] = [];
  const lines = body.split(/\r?\n/u);
  const flush = (): void => {
    const { text } = cleanText(own.join('\n'));
    if (text.trim() !== '') sections.push({ quoted: null, text });
    own = [];
  };
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const [, marker, label = ''] = line.startsWith('<') ? (BEGIN.exec(line) ?? []) : [];
    if (marker === undefined) {
      own.push(line);
      continue;
    }
    flush();
    // Each quoted line stands behind `> `: the first one that does not is the end, whether its marker is still there or not.
    const quoted: string[] = [];
    while (lines[index + 1]?.startsWith('>')) {
      index += 1;
      quoted.push((lines[index] ?? '').replace(/^> ?/u, ''));
    }
    if (lines[index + 1] === `<!-- END GITEA TEXT ${marker} -->`) index += 1;
    sections.push({ quoted: cleanText(label).text, text: cleanText(quoted.join('\n')).text });
  }
  flush();
  return sections;
}

/** The text below a task file's front matter. */
export function bodyOf(file: string): string {
  const end = file.startsWith('---\n') ? file.indexOf('\n---\n', 3) : -1;
  return end < 0 ? file : file.slice(end + 5);
}
