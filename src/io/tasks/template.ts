import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import Handlebars from 'handlebars';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import type { TaskData } from '../../core/task-document.ts';

/** Renders one task's text below its front matter. Throws exit 78 with file:line and the nearest known name. */
export type TaskTemplate = (data: TaskData) => string;

const STRICT = { strict: true, noEscape: true, preventIndent: true } as const;

/**
 * Loads a template with its partials: the built-in ones, and over them those in `partials/` beside the user's template.
 * `file` null stands for the built-in template. Throws exit 78 when one cannot be read or parsed.
 */
export function loadTemplate(file: string | null, builtInFolder: string): TaskTemplate {
  const path = file ?? join(builtInFolder, 'task.md.hbs');
  const handlebars = Handlebars.create();
  handlebars.unregisterHelper('log'); // writes to the console
  handlebars.registerHelper('json', (value: unknown) => JSON.stringify(value));
  const folders = file === null ? [builtInFolder] : [builtInFolder, dirname(file)];
  for (const folder of folders) {
    for (const partial of partialsIn(join(folder, 'partials'))) {
      const name = basename(partial, '.md.hbs');
      handlebars.registerPartial(name, named(partial, compile(handlebars, partial)));
    }
  }
  const render = named(path, compile(handlebars, path));
  return (data) =>
    `${render(data)
      .replaceAll(/\n{3,}/gu, '\n\n')
      .trim()}\n`;
}

type Render = (data: unknown, options?: Handlebars.RuntimeOptions) => string;

function compile(handlebars: typeof Handlebars, file: string): Render {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`the template ${file} cannot be read: ${messageOf(error)}`, error);
  }
  try {
    // Parsed here: compile() alone would find syntax errors only when it renders.
    return handlebars.compile(handlebars.parse(source), STRICT);
  } catch (error) {
    throw new UserError(`${file}:${lineOf(error) ?? 1}: ${syntaxComplaint(error)}`, {
      exitCode: EXIT.invalid,
      code: 'template_invalid',
      cause: error,
    });
  }
}

// Says in which file it happened: Handlebars knows only the line.
function named(file: string, render: Render): Render {
  return (data, options) => {
    try {
      return render(data, options);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw invalid(`${file}:${lineOf(error) ?? 1}: ${renderComplaint(error, data)}`, error);
    }
  };
}

const UNKNOWN_NAME = /^"(.+)" not defined in/u;

function renderComplaint(error: unknown, data: unknown): string {
  const message = messageOf(error).replace(/ - \d+:\d+$/u, '');
  const unknown = UNKNOWN_NAME.exec(message)?.[1] ?? /^Missing helper: "(.+)"/u.exec(message)?.[1];
  if (unknown !== undefined) {
    const known = namesIn(data);
    const nearest =
      known.length > 0
        ? closest(
            unknown,
            known.map((name) => name.split('.').at(-1) ?? name),
          )
        : undefined;
    const whole = known.find((name) => name === nearest || name.endsWith(`.${nearest}`));
    return `unknown variable ${unknown}${whole ? ` (did you mean ${whole}?)` : ''}`;
  }
  const partial = /^The partial (.+) could not be found/u.exec(message)?.[1];
  if (partial !== undefined)
    return `unknown partial ${partial}: expected it as partials/${partial}.md.hbs beside the template`;
  if (error instanceof RangeError) return 'a partial includes itself without end';
  return message;
}

function syntaxComplaint(error: unknown): string {
  const [first = '', , , ...rest] = messageOf(error).split('\n');
  return `the template cannot be parsed: ${first.startsWith('Parse error') ? (rest.at(-1) ?? first) : first.replace(/ - \d+:\d+$/u, '')}`;
}

function lineOf(error: unknown): number | undefined {
  if (error instanceof Error && 'lineNumber' in error && typeof error.lineNumber === 'number')
    return error.lineNumber;
  const [, line] = / - (\d+):\d+$|^Parse error on line (\d+)/mu.exec(messageOf(error))?.filter(Boolean) ?? [];
  return line === undefined ? undefined : Number(line);
}

// Every name a template may use, as `issue.title`. Lists are looked into by their first element.
function namesIn(value: unknown, prefix = ''): string[] {
  const item: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof item !== 'object' || item === null) return [];
  return Object.entries(item).flatMap(([key, child]) =>
    [`${prefix}${key}`].concat(namesIn(child, `${prefix}${key}.`)),
  );
}

function partialsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.md.hbs'))
      .map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw invalid(`the partials in ${folder} cannot be read: ${messageOf(error)}`, error);
  }
}

function invalid(message: string, cause: unknown): UserError {
  return new UserError(message, {
    exitCode: EXIT.invalid,
    code: 'template_invalid',
    hint: 'README, "Task files and templates", lists every variable; try the template with: dispatcher dispatch --dry-run',
    cause,
  });
}
