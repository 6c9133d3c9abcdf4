import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import Handlebars from 'handlebars';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import type { TaskData } from '../../core/task/document.ts';
import { readTextFile } from '../files.ts';

/** Renders the text below a front matter. Throws exit 78 with file:line and the nearest known name. */
export type Template<T> = (data: T) => string;
export type TaskTemplate = Template<TaskData>;

const MAX_DEPTH = 50;
const STRICT = { strict: true, noEscape: true, preventIndent: true } as const;

// Handlebars hands its own options over as the last argument.
const HELPERS: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  json: (value) => JSON.stringify(value),
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  and: (...args) => args.slice(0, -1).every(Boolean),
  or: (...args) => args.slice(0, -1).some(Boolean),
  not: (value) => !value,
};
const HELPER_NAMES = ['if', 'unless', 'each', 'with', 'lookup', ...Object.keys(HELPERS)];

/**
 * Loads a template with its partials: the built-in ones, and over them those in `partials/` beside the user's template.
 * `file` null stands for the built-in template. Throws exit 78 when one cannot be read or parsed.
 */
export function loadTemplate<T = TaskData>(
  file: string | null,
  builtInFolder: string,
  builtIn = 'task.md.hbs',
): Template<T> {
  const path = file ?? join(builtInFolder, builtIn);
  const handlebars = Handlebars.create();
  handlebars.registerHelper('log', () => {
    throw new Error('the helper log is not available: it would write to the console');
  });
  for (const [name, helper] of Object.entries(HELPERS)) handlebars.registerHelper(name, helper);
  const folders = file === null ? [builtInFolder] : [builtInFolder, dirname(file)];
  for (const folder of folders) {
    for (const partial of partialsIn(join(folder, 'partials'))) {
      const name = basename(partial, '.md.hbs');
      handlebars.registerPartial(name, named(compile(handlebars, partial)));
    }
  }
  const render = named(compile(handlebars, path));
  return (data) => {
    const text = render(data)
      .replaceAll(/\n{3,}/gu, '\n\n')
      .trim();
    if (text === '') throw invalid(`${path} renders to nothing: a task would be empty`, undefined);
    return `${text}\n`;
  };
}

type Render = (data: unknown, options?: Handlebars.RuntimeOptions) => string;

interface Compiled {
  readonly file: string;
  readonly names: readonly NamedPath[];
  readonly render: Render;
}

function compile(handlebars: typeof Handlebars, file: string): Compiled {
  let source: string;
  try {
    source = readTextFile(file);
  } catch (error) {
    throw invalid(`the template ${file} cannot be read: ${messageOf(error)}`, error);
  }
  try {
    // Parsed here: compile() alone would find syntax errors only when it renders.
    const program = handlebars.parse(source);
    const names = pathsIn(program);
    const inherited = names.find((name) => name.parts.some((part) => part in Object.prototype));
    if (inherited) throw invalid(`${file}:${inherited.line}: unknown variable ${inherited.original}`, undefined);
    return { file, names, render: handlebars.compile(program, STRICT) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw invalid(`${file}:${lineOf(error) ?? 1}: ${syntaxComplaint(error)}`, error);
  }
}

// Says in which file it happened, and what was meant: Handlebars knows only the position. It also ends endless inclusion,
// before the stack is full: V8 aborts the whole process when it has to compile a regular expression there.
function named({ file, names, render }: Compiled): Render {
  let depth = 0;
  return (data, options) => {
    depth += 1;
    try {
      if (depth > MAX_DEPTH) throw invalid(`${file}: this partial includes itself without end`, undefined);
      return render(data, options);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw invalid(`${file}:${lineOf(error) ?? 1}: ${renderComplaint(error, names, data)}`, error);
    } finally {
      depth -= 1;
    }
  };
}

/** A variable as the template writes it, and where. */
interface NamedPath {
  readonly original: string;
  readonly parts: readonly string[];
  readonly line: number;
  readonly column: number;
  /** Something stands behind it: it is meant as a helper. */
  readonly isCall: boolean;
}

function pathsIn(node: unknown, isCall = false): NamedPath[] {
  if (typeof node !== 'object' || node === null) return [];
  const calls = 'params' in node && Array.isArray(node.params) && node.params.length > 0;
  const below = Object.entries(node).flatMap(([key, child]) => pathsIn(child, calls && key === 'path'));
  return isPath(node) ? [{ original: node.original, parts: node.parts, ...node.loc.start, isCall }, ...below] : below;
}

function isPath(node: object): node is hbs.AST.PathExpression {
  return 'type' in node && node.type === 'PathExpression';
}

function renderComplaint(error: unknown, names: readonly NamedPath[], data: unknown): string {
  const [, message = '', line, column] = /^(.*?)(?: - (\d+):(\d+))?$/su.exec(messageOf(error)) ?? [];
  const unknown = /^"(.+)" not defined in|^Missing helper: "(.+)"|^Cannot use 'in' operator to search for '(.+?)'/u
    .exec(message)
    ?.slice(1)
    .find(Boolean);
  if (unknown !== undefined) {
    const named = names.find((name) => String(name.line) === line && String(name.column) === column);
    if (named?.isCall) {
      return `unknown helper ${unknown} (did you mean ${closest(unknown, HELPER_NAMES)}? known: ${HELPER_NAMES.join(', ')})`;
    }
    const written = named?.original ?? unknown;
    return `unknown variable ${written}${suggestion(written, namesIn(data))}`;
  }
  const partial = /^The partial (.+) could not be found/u.exec(message)?.[1];
  if (partial !== undefined)
    return `unknown partial ${partial}: expected it as partials/${partial}.md.hbs beside the template`;
  return message;
}

// By its whole name, or by its last part: inside a loop only that is written.
function suggestion(written: string, known: readonly string[]): string {
  const leaves = new Map(known.map((name) => [name.split('.').at(-1) ?? name, name]));
  const spellings = [...known, ...leaves.keys()];
  if (spellings.length === 0) return '';
  const nearest = closest(written, spellings);
  return ` (did you mean ${known.includes(nearest) ? nearest : leaves.get(nearest)}?)`;
}

function syntaxComplaint(error: unknown): string {
  const [first = '', , , ...rest] = messageOf(error).split('\n');
  return `the template cannot be parsed: ${first.startsWith('Parse error') ? (rest.at(-1) ?? first) : first.replace(/ - \d+:\d+$/u, '')}`;
}

function lineOf(error: unknown): number | undefined {
  if (error instanceof Error && 'lineNumber' in error && typeof error.lineNumber === 'number') return error.lineNumber;
  const [, line] = / - (\d+):\d+$|^Parse error on line (\d+)/mu.exec(messageOf(error))?.filter(Boolean) ?? [];
  return line === undefined ? undefined : Number(line);
}

// Every name a template may use, as `issue.title`. Lists are looked into by their first element.
function namesIn(value: unknown, prefix = ''): string[] {
  const item: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof item !== 'object' || item === null) return [];
  return Object.entries(item).flatMap(([key, child]) => [`${prefix}${key}`].concat(namesIn(child, `${prefix}${key}.`)));
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
    hint: 'templates/README.md lists every variable; try the template with: dispatcher dispatch --dry-run',
    cause,
  });
}
