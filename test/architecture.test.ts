import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'dispatcher-house-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What the linter says about one file planted into a copy of the house's folders. */
function lint(file: string, source: string): string {
  const house = mkdtempSync(join(scratch, 'house-'));
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(house, '.oxlintrc.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(house, 'node_modules'));
  mkdirSync(join(house, dirname(file)), { recursive: true });
  writeFileSync(join(house, file), source);
  return spawnSync(join(ROOT, 'node_modules/.bin/oxlint'), ['src'], { cwd: house, encoding: 'utf8' }).stdout;
}

describe('the direction of imports is held by the linter', () => {
  test.for([
    { file: 'src/core/planted.ts', from: 'node:fs', says: 'core is pure' },
    { file: 'src/core/planted.ts', from: '../io/files.ts', says: 'core is pure' },
    { file: 'src/core/planted.ts', from: '../views/columns.ts', says: 'core is pure' },
    { file: 'src/io/tasks/planted.ts', from: '../../commands/dispatch.ts', says: 'io imports core only' },
    { file: 'src/io/planted.ts', from: '../views/idle.ts', says: 'io imports core only' },
    { file: 'src/io/planted.ts', from: '../deps/world.ts', says: 'io imports core only' },
    { file: 'src/io/tasks/planted.ts', from: 'node:fs', says: 'through ground.ts alone' },
    { file: 'src/io/tasks/planted.ts', from: 'node:fs/promises', says: 'through ground.ts alone' },
    { file: 'src/io/tasks/planted.ts', from: '../files.ts', says: 'through ground.ts alone' },
    { file: 'src/io/gitea/planted.ts', from: 'node:fs', says: 'through ground.ts alone' },
    { file: 'src/views/planted.ts', from: '../io/files.ts', says: 'views import core only' },
    { file: 'src/views/planted.ts', from: 'node:os', says: 'views import core only' },
    { file: 'src/commands/planted.ts', from: '../io/files.ts', says: 'the outside world as parameters' },
    { file: 'src/commands/planted.ts', from: 'node:fs', says: 'the outside world as parameters' },
    { file: 'src/commands/planted.ts', from: '../deps/world.ts', says: 'the outside world as parameters' },
    { file: 'src/commands/planted.ts', from: '../dashboard/app.ts', says: 'the outside world as parameters' },
    { file: 'src/pass/planted.ts', from: '../io/files.ts', says: 'the outside world as parameters' },
    { file: 'src/agent/planted.ts', from: 'node:fs', says: 'the outside world as parameters' },
    { file: 'src/core/choice/planted.ts', from: '../../pass/pass.ts', says: 'core is pure' },
    { file: 'src/io/planted.ts', from: '../pass/pass.ts', says: 'io imports core only' },
    { file: 'src/core/planted.ts', from: '../dashboard/feed.ts', says: 'core is pure' },
    { file: 'src/views/planted.ts', from: '../dashboard/feed.ts', says: 'views import core only' },
    { file: 'src/dashboard/planted.ts', from: '../io/files.ts', says: 'local files as parameters' },
    { file: 'src/dashboard/planted.ts', from: 'node:fs', says: 'local files as parameters' },
  ])('$file must not import $from', ({ file, from, says }) => {
    expect(lint(file, `import { x } from '${from}';\nexport const y = x;\n`)).toContain(says);
  });

  test('core must not read the process or the clock of the machine', () => {
    expect(lint('src/core/planted.ts', 'export const y = process.env;\n')).toContain('no-restricted-globals');
  });

  test('no file has more than 250 lines, whatever they are', () => {
    const lines = (count: number): string => `// a line\n\nexport const y = [\n${'  1,\n'.repeat(count - 4)}];\n`;
    expect(lint('src/io/planted.ts', lines(250))).toContain('0 errors');
    expect(lint('src/io/planted.ts', lines(251))).toContain('max-lines');
  });

  test('what is allowed passes', () => {
    expect(lint('src/io/planted.ts', "import { x } from '../core/x.ts';\nexport const y = x;\n")).toContain('0 errors');
  });
});

describe('the source', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const sources = files.map((name) => ({ name, text: readFileSync(join(ROOT, 'src', name), 'utf8') }));

  test.for([
    { what: 'the environment of the process', pattern: /process\.env/u, only: ['main.ts'] },
    { what: 'the clock', pattern: /Date\.now\(\)|new Date\(\)|performance\.timeOrigin/u, only: ['deps/world.ts'] },
    {
      what: 'HTTP',
      pattern: /(?:from |import\()'(?:ofetch|node:https?)'/u,
      only: [
        'dashboard/serve.ts',
        'io/agents.ts',
        'io/gitea/attachments.ts',
        'io/gitea/client.ts',
        'io/http.ts',
        'io/places.ts',
      ],
    },
    { what: 'the end of the process', pattern: /process\.exit\(/u, only: [] },
  ])('$what is touched in $only alone', ({ pattern, only }) => {
    expect(
      sources
        .filter(({ text }) => pattern.test(text))
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(only);
  });

  test('every exported function and constant says what the caller gets', () => {
    const silent = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/^(.*)\n(?=export (?:async )?(?:function|const) (\w+))/gmu)]
        .filter(([, before]) => !before?.trimEnd().endsWith('*/'))
        .map((match) => `${name}: ${match[2]}`),
    );
    expect(silent).toEqual([]);
  });
});

describe('the tests', () => {
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  const titles = tests.flatMap((name) =>
    [...readFileSync(join(ROOT, 'test', name), 'utf8').matchAll(/^ *(?:test|describe|\]\)|['"`]).*/gmu)].map(
      ([line]) => line,
    ),
  );

  test.for([
    { issue: 11, items: 26 },
    { issue: 12, items: 18 },
  ])('each of the $items items of issue $issue is the number of one', ({ issue, items }) => {
    const numbers = Array.from({ length: items }, (_, index) => `${issue}.${index + 1}`);
    const isNamed = (number: string): boolean => {
      const named = new RegExp(`['"\`](?:1[12]\\.\\d+, )*${number.replace('.', String.raw`\.`)}[ ,]`, 'u');
      return titles.some((title) => named.test(title));
    };
    expect(numbers.filter((number) => !isNamed(number))).toEqual([]);
  });
});

describe('the package', () => {
  test('keeps the web server out of what a pass loads', () => {
    // A message of hono, and the name of a rule of markdown-it.
    const [pass = '', page = ''] = ['dispatcher', 'dashboard'].map((name) =>
      readFileSync(join(ROOT, `dist/${name}.cjs`), 'utf8'),
    );
    for (const trace of ['Context is not finalized', 'softbreak']) {
      expect({ trace, pass: pass.includes(trace), page: page.includes(trace) }).toEqual({
        trace,
        pass: false,
        page: true,
      });
    }
  });

  test('keeps the database of several machines out of everything but its own bundle', () => {
    // A statement of ours, and a message of pg.
    for (const trace of ['pg_try_advisory_lock', 'SASL: SCRAM-SERVER-FIRST-MESSAGE']) {
      const holds = ['dispatcher', 'dashboard', 'mcp', 'markdown', 'store'].filter((name) =>
        readFileSync(join(ROOT, `dist/${name}.cjs`), 'utf8').includes(trace),
      );
      expect({ trace, holds }).toEqual({ trace, holds: ['store'] });
    }
  });

  test('has each library in it named in CONTRIBUTING, with what it is for', () => {
    const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
      .join('\n');
    const imported = [...source.matchAll(/(?:from |import\()'((?:@[\w-]+\/)?[a-z][\w-]*)[/']/gu)].map(
      ([, name]) => name,
    );
    const table = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('| library | for |').at(-1) ?? '';
    const named = new Set(
      [...table.matchAll(/^\|([^|]*)\|/gmu)].flatMap(([, names = '']) => names.match(/[@\w/-]+/gu) ?? []),
    );
    expect(imported.length).toBeGreaterThan(20);
    expect(imported.filter((name) => !named.has(name ?? ''))).toEqual([]);
  });

  test('holds the bundled files, templates, deploy files and documents, and runs from any folder once installed', () => {
    const packed =
      execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch], {
        cwd: ROOT,
        encoding: 'utf8',
      })
        .trim()
        .split('\n')
        .at(-1) ?? '';
    const list = execFileSync('tar', ['-tzf', join(scratch, packed)], { encoding: 'utf8' });
    const names = list
      .trim()
      .split('\n')
      .map((name) => name.replace('package/', ''));
    expect(names.filter((name) => name.startsWith('dist/')).toSorted()).toEqual([
      'dist/THIRD-PARTY-LICENSES.txt',
      'dist/dashboard.cjs',
      'dist/dispatcher.cjs',
      'dist/markdown.cjs',
      'dist/mcp.cjs',
      'dist/sbom.cdx.json',
      'dist/store.cjs',
    ]);
    expect(names).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'bin/dispatcher.js',
        'bin/package.json',
        'templates/task.md.hbs',
        'templates/partials/rules.md.hbs',
        'deploy/dispatcher.service',
        'deploy/config.schema.json',
      ]),
    );
    expect(names.filter((name) => /^(?:src|test|\.)/u.test(name))).toEqual([]);

    const prefix = join(scratch, 'prefix');
    execFileSync('npm', ['install', '--global', '--silent', '--offline', '--prefix', prefix, join(scratch, packed)], {
      stdio: 'ignore',
    });
    const { status, stdout } = spawnSync(join(prefix, 'bin/dispatcher'), ['--version'], {
      cwd: '/',
      encoding: 'utf8',
    });
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual(['agent-dispatcher']);
    expect(readdirSync(join(prefix, 'lib/node_modules/agent-dispatcher'))).not.toContain('node_modules');
  });
});
