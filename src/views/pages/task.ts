import MarkdownIt from 'markdown-it';
import { parseFrontMatter } from '../../core/task/front-matter.ts';
import { PRIORITIES } from '../../core/issue/priority.ts';
import { bodyOf, taskSections } from '../../core/task/sections.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { agentHref, type Frame, frameData, priorityData, safeUrl, taskHref } from './parts.ts';

interface TaskSource {
  readonly agent: string;
  /** Path below the agent's folder. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** Bytes that are not in the text. */
  readonly cut: number;
}

/** The data of `task.hbs`: front matter as a table, own and quoted text apart, as Markdown without any HTML of its own. */
export function taskPage({ agent, file, path, text, cut }: TaskSource, frame: Frame) {
  const fields = parseFrontMatter(text);
  const field = (name: string): string | null => {
    const value = fields?.get(name);
    return typeof value === 'string' ? cleanLine(value, 500) : null;
  };
  const ref = field('ref') ?? cleanLine(file, 300);
  const priority = PRIORITIES.find((name) => name === field('priority'));
  return {
    ...frameData(frame, `${ref} – Dispatcher`, 'ok', ''),
    ref,
    url: safeUrl(field('url')),
    heading: field('title') ?? '',
    priority: priority ? priorityData(priority) : null,
    agent: { name: agent, href: agentHref(agent) },
    path: cleanLine(path, 1000),
    raw: `${taskHref(agent, file)}?raw`,
    cut,
    facts: fields ? [...fields].map(([name, value]) => ({ name: cleanLine(name, 100), value: shown(value) })) : null,
    sections: taskSections(bodyOf(text)).map((section) => ({
      quoted: section.quoted,
      html: section.quoted === null ? OWN.render(section.text) : QUOTED.render(section.text),
    })),
  };
}

function shown(value: unknown): string {
  if (value === null) return 'none';
  const texts = Array.isArray(value) ? value : [value];
  return cleanLine(
    texts.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(', ') || 'none',
    2000,
  );
}

// The page has headings of two levels already; quoted text comes below the section it stands in.
const OWN = renderer(2, { breaks: false });
// Gitea shows the line breaks of its texts.
const QUOTED = renderer(3, { breaks: true });

function renderer(headingsBelow: number, { breaks }: { readonly breaks: boolean }) {
  const markdown = new MarkdownIt({ html: false, linkify: true, breaks, maxNesting: 50 });
  markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  const { rules } = markdown.renderer;
  // Pictures would be loaded from elsewhere: a link tells where they are.
  rules['image'] = (tokens, index) => {
    const token = tokens[index];
    const href = safeUrl(String(token?.attrGet('src') ?? ''));
    const label = markdown.utils.escapeHtml(`picture: ${cleanLine(token?.content ?? '', 200) || 'no description'}`);
    return href === null
      ? `[${label}]`
      : `<a href="${markdown.utils.escapeHtml(href)}" rel="noreferrer nofollow">[${label}]</a>`;
  };
  rules['link_open'] = (tokens, index, options, _environment, self) => {
    const token = tokens[index];
    const href = safeUrl(String(token?.attrGet('href') ?? ''));
    if (token)
      token.attrs =
        href === null
          ? null
          : [
              ['href', href],
              ['rel', 'noreferrer nofollow'],
            ];
    return self.renderToken(tokens, index, options);
  };
  for (const rule of ['heading_open', 'heading_close'] as const) {
    rules[rule] = (tokens, index, options, _environment, self) => {
      const token = tokens[index];
      if (token) token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + headingsBelow)}`;
      return self.renderToken(tokens, index, options);
    };
  }
  return markdown;
}
