import { dirname, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { isAlias, isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type * as z from 'zod/mini';
import { type Config, normaliseConfig } from '../core/config/config.ts';
import { crossCheck } from '../core/config/cross-check.ts';
import { ConfigSchema, knownKeys, type RawConfig, schemaFor } from '../core/config/schema.ts';
import { EXIT, messageOf, UserError } from '../core/errors.ts';
import { configFile } from './config-place.ts';
import { readTextFile } from './files.ts';

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
}

type Path = readonly (string | number)[];
interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Finds and reads the configuration. Throws exit 78 with every problem of the file, each with line:column. */
export function loadConfig(explicit: string | undefined, { environment, cwd }: Surroundings): Config {
  const file = configFile(explicit, environment, cwd);
  if (file === null) return fromEnvironment(environment, cwd);
  return normaliseConfig(readConfigFile(file), { file, folder: dirname(file), resolve });
}

/** What a configuration file says, checked. Throws exit 78. */
export function readConfigFile(file: string): RawConfig {
  let text: string;
  try {
    text = readTextFile(file);
  } catch (error) {
    throw new UserError(`the configuration ${file} cannot be read: ${messageOf(error)}`, {
      exitCode: EXIT.invalid,
      code: 'config_unreadable',
      hint: 'check that this is a file, and that this user may read it',
      cause: error,
    });
  }
  return parseConfig(text, file);
}

/** Parses the text of a configuration file; `file` is for the messages. */
export function parseConfig(text: string, file: string): RawConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: Problem[] = document.errors.map((error) => ({
    ...at(error.pos[0]),
    message: yamlMessage(error),
  }));
  if (problems.length > 0) throw invalid(file, problems);

  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw invalid(file, [{ line: 1, column: 1, message: messageOf(error) }]);
  }
  const result = schemaFor(raw).safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues) problems.push(...describe(issue, { raw, document, at }));
    throw invalid(file, problems);
  }
  for (const { path, message } of crossCheck(result.data)) {
    problems.push({ ...at(offsetOf(document, path)), message: `${dotted(path)} ${message}` });
  }
  if (problems.length > 0) throw invalid(file, problems);
  return result.data;
}

function fromEnvironment(environment: NodeJS.ProcessEnv, cwd: string): Config {
  const url = environment['GITEA_URL'];
  const repositories = environment['GITEA_REPOSITORIES']?.split(/[\s,]+/u).filter(Boolean);
  if (!url || !repositories?.length) {
    throw new UserError(
      'no configuration: none of ./dispatcher.yaml, $XDG_CONFIG_HOME/dispatcher/config.yaml and /etc/dispatcher/config.yaml exists, ' +
        `and ${!url ? '$GITEA_URL' : '$GITEA_REPOSITORIES'} is not set`,
      {
        exitCode: EXIT.invalid,
        code: 'config_missing',
        hint: 'dispatcher init   (writes one; or export GITEA_URL, GITEA_REPOSITORIES and GITEA_TOKEN)',
      },
    );
  }
  const result = ConfigSchema.safeParse({ gitea: { url, repositories } });
  if (result.success) return normaliseConfig(result.data, { file: null, folder: cwd, resolve });
  const problems = result.error.issues.map((issue) => {
    const name = issue.path[1] === 'url' ? 'GITEA_URL' : 'GITEA_REPOSITORIES';
    return `  $${name}: ${issue.message}`;
  });
  throw new UserError(['the environment is not a valid configuration:', ...problems].join('\n'), {
    exitCode: EXIT.invalid,
    code: 'config_invalid',
  });
}

/** Whoever has mended so many looks again. */
const SHOWN = 50;

function invalid(file: string, problems: readonly Problem[]): UserError {
  const lines = problems
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map((problem) => `  ${file}:${problem.line}:${problem.column}: ${problem.message}`);
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  const rest = lines.length > SHOWN ? [`  … and ${lines.length - SHOWN} more`] : [];
  return new UserError([`the configuration has ${count}:`, ...lines.slice(0, SHOWN), ...rest].join('\n'), {
    exitCode: EXIT.invalid,
    code: 'config_invalid',
    hint: 'dispatcher help config shows every key',
  });
}

type At = (offset: number) => { line: number; column: number };

interface Read {
  readonly raw: unknown;
  readonly document: Document;
  readonly at: At;
}

function describe(issue: z.core.$ZodIssue, { raw, document, at }: Read): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key) => ({
      ...at(offsetOf(document, [...path, key], true)),
      message: `unknown key ${dotted([...path, key])}${suggestion(key, known)}`,
    }));
  }
  if (issue.code === 'invalid_key') {
    return [
      {
        ...at(offsetOf(document, path, true)),
        message: `${dotted(path)}: the name ${issue.issues[0]?.message ?? 'is not valid'}`,
      },
    ];
  }
  const missing = valueAt(raw, path) === undefined;
  return [
    {
      ...at(offsetOf(document, path)),
      message: `${dotted(path)} ${missing ? 'is missing' : complaint(issue)}`,
    },
  ];
}

// In the values, where an alias is what it stands for, and every key is a text.
function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
    raw,
  );
}

function complaint(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && !issue.message.startsWith('must ')) {
    const nouns: Readonly<Record<string, string>> = {
      object: 'a group of keys',
      record: 'a group of keys',
      array: 'a list',
      string: 'a text (quote it when it looks like a number or a date)',
      int: 'a whole number',
      number: 'a number',
    };
    return `must be ${nouns[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small' && issue.message === 'Invalid input') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  return issue.message;
}

function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(key, [...known]);
  const shared = new Set(
    Array.from(nearest.toLowerCase()).filter((character) => key.toLowerCase().includes(character)),
  );
  return shared.size >= Math.min(3, nearest.length) ? ` (did you mean ${nearest}?)` : ` (known: ${known.join(', ')})`;
}

// Where a path stands in the file; the nearest parent when it is absent.
function offsetOf(document: Document, path: Path, key = false): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(last));
      const node = pair && (key && length === path.length ? pair.key : (pair.value ?? pair.key));
      const range = isScalar(node) || isMap(node) || isAlias(node) ? node.range : rangeOf(node);
      if (range?.[0] !== undefined) return range[0];
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    } else {
      const range = rangeOf(document.getIn(path.slice(0, length), true));
      if (range?.[0] !== undefined) return range[0];
    }
  }
  return rangeOf(document.contents)?.[0] ?? 0;
}

function rangeOf(node: unknown): readonly number[] | undefined {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
    ? node.range
    : undefined;
}

function dotted(path: Path): string {
  return (
    path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('') ||
    'the file'
  );
}

function yamlMessage(error: { readonly code: string; readonly message: string }): string {
  if (error.code === 'DUPLICATE_KEY') return 'this key stands twice';
  if (error.code === 'TAB_AS_INDENT') return 'a tab cannot indent; use spaces';
  return error.message;
}
