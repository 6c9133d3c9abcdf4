// What people write for the dispatcher: configurations and templates that are wrong in every way that we could think of.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import * as z from 'zod/mini';
import { ConfigSchema } from '../../src/core/config/schema.ts';
import { UserError } from '../../src/core/errors.ts';
import { parseConfig } from '../../src/io/config-file.ts';
import { type Finished, finished, type Workspace } from '../support/command.ts';
import { brokenAfterwards, conclude, office, sampled, shell, together } from './experiment.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
}

/** The path of each key that a configuration may have. */
const keysOf = ({ properties = {}, additionalProperties }: JsonSchema): readonly (readonly string[])[] => [
  ...Object.entries(properties).flatMap(([key, below]) => [[key], ...keysOf(below).map((path) => [key, ...path])]),
  ...(typeof additionalProperties === 'object' ? keysOf(additionalProperties).map((path) => ['some', ...path]) : []),
];
const KEYS = keysOf(z.toJSONSchema(ConfigSchema) as JsonSchema);
const WRONG = [
  '',
  'null',
  '7',
  '-1',
  '1e999',
  'true',
  '.nan',
  '"\\u0000"',
  '[[]]',
  '{ x: { y: 1 } }',
  '2026-01-01',
  '!!binary aGk=',
];

/** A configuration in which nothing but that key stands besides what must be there. */
function withKey(path: readonly string[], value: string, url: string): string {
  const nested = path.reduceRight((inner, key) => `{ ${key}: ${inner} }`, value === '' ? '""' : value);
  const [group, ...rest] = path;
  if (group !== 'gitea') return `gitea: { url: ${url}, repositories: [acme/app] }\n${nested.slice(2, -2)}\n`;
  const others = [`url: ${url}`, 'repositories: [acme/app]'].filter((each) => !each.startsWith(`${rest[0] ?? ''}:`));
  return rest.length === 0 ? `gitea: ${value}\n` : `gitea: { ${[...others, `${rest[0]}: ${value}`].join(', ')} }\n`;
}

const BOMB = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
  .split('')
  .map((name, index) => `${name}: &${name} [${`*${'abcdefghi'[index]},`.repeat(9)}]`)
  .join('\n')}\n`;
const TEXTS: Readonly<Record<string, string>> = {
  nothing: '',
  'only a comment': '# later\n',
  'a bomb of aliases': BOMB,
  'an alias to itself': 'gitea: &a { url: *a }\n',
  'a merge key': 'x: &x { url: y }\ngitea: { <<: *x }\n',
  tabs: 'gitea:\n\turl: x\n',
  'a key twice': 'gitea: {}\ngitea: {}\n',
  'two documents': 'gitea: {}\n---\ngitea: {}\n',
  'a directive': '%YAML 9.9\n---\n{}\n',
  'a tag': '!!js/function "x"\n',
  zeros: '\0'.repeat(1000),
  'half a character': 'gitea: { url: "\uFFFD" }\n',
  'a list': '- gitea\n',
  'deep nesting': '['.repeat(5000),
  'ten megabytes': `# ${'x'.repeat(10_000_000)}\n`,
  __proto__: '__proto__: { url: x }\n',
  constructor: 'constructor: { prototype: { x: 1 } }\n',
  colours: '\u001B[31mgitea: 1\n',
};
/** What may stand where a file is named. */
const PLACED: Readonly<Record<string, (path: string) => void>> = {
  'a folder': (path) => mkdirSync(path),
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a link to itself': (path) => symlinkSync(path, path),
  'nothing at all': () => {},
};
/** The command under test, on a configuration of that name. */
const tried = async (at: Workspace): Promise<Finished> =>
  finished(shell(at, 'exec timeout -s KILL 50 "$@" --config dispatcher.yaml dispatch'));

/** What must not come out, whatever is wrong. */
const unseemly = ({ code, stdout, stderr }: Finished, codes: readonly number[], named: string): readonly string[] => [
  ...(codes.includes(code ?? -1) ? [] : [`exit ${code}: ${stderr.slice(0, 400)}`]),
  ...(/^\s+at .*:\d+/mu.test(stderr) ? [`a stack trace: ${stderr.slice(0, 400)}`] : []),
  ...(/\u001B|\u0000/u.test(stderr + stdout) ? ['control characters'] : []),
  ...(code === 0 || stderr.includes(named) ? [] : [`${named} is not named: ${stderr.slice(0, 200)}`]),
  ...(code === 0 || stderr.includes('fix: ') ? [] : [`no remedy: ${stderr.slice(0, 200)}`]),
  ...(stderr.length > 20_000 ? [`${stderr.length} characters of complaints`] : []),
];

/** What a text is to the parser: a configuration, or wrong in a place that is told; never anything else. */
function parsed(text: string): string {
  try {
    parseConfig(text, 'dispatcher.yaml');
    return 'valid';
  } catch (error) {
    const isTold =
      error instanceof UserError && error.exitCode === 78 && / dispatcher\.yaml:\d+:\d+: ./u.test(error.message);
    return isTold ? 'told' : `threw ${String(error)}`;
  }
}

test('configurations', async (context) => {
  const wrong = KEYS.flatMap((path) =>
    WRONG.map((value) => ({ name: `${path.join('.')}: ${value}`, text: (url: string) => withKey(path, value, url) })),
  );
  const odd = Object.entries(TEXTS).map(([name, text]) => ({ name, text: () => text }));
  const strange = [...wrong, ...odd].map(({ name, text }) => `${name}: ${parsed(text('http://127.0.0.1:1'))}`);
  const found = strange.filter((line) => !/: (?:valid|told)$/u.test(line));
  // All go through the parser; through the command, which takes a thousand times as long, one in five: five is no divisor of
  // the number of values, so that every value and every key has its turn.
  const cases = [...sampled(wrong.filter((_, index) => index % 5 === 0)), ...odd];
  found.push(
    ...(await together(cases, async ({ name, text }) => {
      const at = await office([1]);
      const config = at.read('dispatcher.yaml');
      at.write('dispatcher.yaml', text(at.gitea.url));
      const hit = await tried(at);
      at.write('dispatcher.yaml', config);
      return unseemly(hit, [0, 4, 75, 78], hit.code === 78 ? 'dispatcher.yaml' : '').map((what) => `${name}: ${what}`);
    })),
  );
  conclude(context, 'configurations that are wrong', strange.length + cases.length, found);
});

/** Each file that a configuration names, and the exit code when it is no file. */
const NAMED = [
  { file: 'dispatcher.yaml', code: 78, yaml: '' },
  { file: 'secret', code: 4, yaml: 'gitea: { url: URL, repositories: [acme/app], tokenFile: secret }\n' },
  { file: 'mine.hbs', code: 78, yaml: 'tasks: { template: mine.hbs }\n' },
  { file: 'partials/part.md.hbs', code: 78, yaml: 'tasks: { template: whole.hbs }\n' },
];

test('files that are none', async (context) => {
  const cases = NAMED.flatMap((named) =>
    Object.entries(PLACED).map(([thing, place]) => ({ ...named, thing, place })),
  ).filter(({ file, thing }) => !file.startsWith('partials/') || thing !== 'nothing at all');
  const found = await together(cases, async ({ file, code, yaml, thing, place }) => {
    const at = await office();
    const config = at.read('dispatcher.yaml');
    const rest = yaml.startsWith('gitea') ? config.replace(/^gitea:.*\n/u, '') : config;
    at.write('dispatcher.yaml', `${yaml.replace('URL', at.gitea.url)}${rest}`);
    at.write('whole.hbs', '{{issue.title}}');
    mkdirSync(join(at.folder, 'partials'));
    rmSync(join(at.folder, file), { force: true });
    place(join(at.folder, file));
    const hit = await tried(at);
    rmSync(join(at.folder, file), { force: true, recursive: true });
    at.write('dispatcher.yaml', config);
    const broken = [...unseemly(hit, [code], file), ...(await brokenAfterwards(at, [hit], { allowed: ['whole.hbs'] }))];
    return broken.map((what) => `${thing} in place of ${file}: ${what}`);
  });
  conclude(context, 'named files that are none', cases.length, found);
});

const TOKENS: readonly {
  readonly name: string;
  readonly text: (token: string) => string;
  readonly mode?: number;
  readonly code: number;
}[] = [
  { name: 'nothing', text: () => '', code: 4 },
  { name: 'blanks', text: () => ' \n\n', code: 4 },
  { name: 'two lines', text: (token) => `${token}\n${token}\n`, code: 4 },
  { name: 'a name before it', text: (token) => `GITEA_TOKEN=${token} # mine\n`, code: 4 },
  { name: 'a line break in it', text: (token) => `${token.slice(0, 5)}\r\nX-Other: ${token.slice(5)}`, code: 4 },
  { name: 'zeros', text: (token) => `${token}\u0000`, code: 4 },
  { name: 'other letters', text: (token) => `${token}é`, code: 4 },
  { name: 'another token', text: (token) => `${token}0`, code: 4 },
  { name: 'open to everybody', text: (token) => token, mode: 0o644, code: 0 },
];

test('token files', async (context) => {
  const found = await together(TOKENS, async ({ name, text, mode = 0o600, code }) => {
    const at = await office();
    const config = at.read('dispatcher.yaml');
    at.write('dispatcher.yaml', config.replace('gitea: {', 'gitea: { tokenFile: secret,'));
    writeFileSync(join(at.folder, 'secret'), text(at.gitea.token), { mode });
    const hit = await tried(at);
    const warned = mode === 0o600 || `${hit.stdout}${hit.stderr}`.includes('chmod 600') ? [] : ['no warning'];
    rmSync(join(at.folder, 'secret'));
    at.write('dispatcher.yaml', config);
    const after = await brokenAfterwards(at, [hit]);
    return [...unseemly(hit, [code], 'secret'), ...warned, ...after].map((what) => `${name}: ${what}`);
  });
  conclude(context, 'token files that are wrong', TOKENS.length, found);
});

const TEMPLATES: readonly string[] = [
  '{{',
  '{{#if issue.title}}',
  '{{/if}}',
  '{{#each issue.labels}}{{/if}}',
  '{{nonsense}}',
  '{{issue.nonsense}}',
  '{{issue.title.nonsense}}',
  '{{constructor}}',
  '{{__proto__}}',
  '{{issue.constructor.name}}',
  '{{lookup issue "constructor"}}',
  '{{lookup (lookup issue "constructor") "name"}}',
  '{{#with "x" as |x|}}{{x.constructor.constructor "return process"}}{{/with}}',
  '{{> missing}}',
  '{{> (lookup issue "title")}}',
  '{{> "../../etc/passwd"}}',
  '{{helperMissing}}',
  '{{unknown "x"}}',
  '{{{{raw}}}}',
  '{{! }',
  '{{else}}',
  '{{#*inline "self"}}{{> self}}{{/inline}}{{> self}}',
  '{{#if}}x{{/if}}',
  '{{@root.nonsense}}',
  '{{../nonsense}}',
  '{{"}}',
];

test('templates', async (context) => {
  const found = await together(TEMPLATES, async (template) => {
    const at = await office();
    const config = at.read('dispatcher.yaml');
    at.write('dispatcher.yaml', `${config}tasks: { template: mine.hbs }\n`);
    at.write('mine.hbs', template);
    const hit = await at.run([]);
    const broken = [
      ...(hit.code === 78 ? [] : [`exit ${hit.code}: ${hit.stdout}${hit.stderr}`]),
      ...(hit.stderr.includes('mine.hbs') && hit.stderr.includes('fix: ') ? [] : [`not named: ${hit.stderr}`]),
      ...(at.tasks().length === 0 ? [] : ['I1 something was published']),
    ];
    // Mended, it goes at once: the template was to blame, and no issue.
    at.write('dispatcher.yaml', config);
    const after = await brokenAfterwards(at, [hit], { allowed: ['mine.hbs'] });
    return [...broken, ...after].map((what) => `${template}: ${what}`);
  });
  conclude(context, 'templates that are wrong', TEMPLATES.length, found);
});
