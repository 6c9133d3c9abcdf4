// An agent names its files and folders as it likes, and writes what it likes into them: of that no command prints a byte raw.

import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';

const ESC = '\u001B';
const FOLDER = `in${ESC}]0;title\u0007${ESC}[2J`;
/** What steers a terminal: control characters but for tab and line feed, and those that turn text around. */
const RAW = /[\0-\u0008\v-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

async function office(): Promise<Workspace & { readonly hans: string }> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: { maxTasks: 3 } }\nrateLimit: 1s\n',
  });
  const hans = join(at.folder, '.agent-tasks/hans');
  for (const name of [FOLDER, 'doing', 'blocked', 'done']) mkdirSync(join(hans, name), { recursive: true });
  const names = [
    `${FOLDER}/a\nhealth: ok${ESC}[2J.md`,
    `issue-2${ESC}[2J.md`,
    `doing/issue-3${ESC}[2J\u0007.md`,
    `blocked/issue-4\u009B2J.md`,
    `done/issue-5\u202E.md`,
  ];
  const evil = String.raw`"\u001b[2J\u009b31m\u202e"`;
  for (const [index, name] of names.entries()) {
    const { ref, id } = at.gitea.addIssue({ repository: 'acme/app', number: index + 1, assignees: ['hans'] });
    const own = ['title', 'agent', 'priority', 'dispatchedAt', 'labels', 'author'].map((key) => `${key}: ${evil}`);
    const url = `url: "${at.gitea.url}/${ref.replace('#', '/issues/')}"`;
    const lines = ['schema: "dispatcher.task/1"', `ref: "${ref}"`, url, `issueId: ${id}`, ...own];
    writeFileSync(join(hans, name), `---\n${lines.join('\n')}\n---\nbody ${ESC}[2J\n`);
  }
  return { ...at, hans };
}

const LINES: readonly (readonly string[])[] = [
  [],
  ['-v'],
  ['status'],
  ['status', '--json'],
  ['explain'],
  ['explain', '--issue', '1'],
  ['explain', '--issue', '3'],
  ['doctor'],
  ['report'],
  ['dispatch', '--dry-run'],
  ['dispatch', '--issue', '2', '--force'],
  ['next', '--peek'],
  ['next'],
  ['next', '--stalled'],
  ['done', '3'],
  ['block', '2', '--reason', `x${ESC}[2J`],
  ['release', '2'],
  ['done', `nope${ESC}[2J`],
  ['work', '--', 'cat'],
  ['status', '--agent', `x${ESC}[2J`],
  ['__complete', '--', 'done', ''],
];

test('12.9 no command prints a raw byte of what an agent calls its files, or writes into them', async () => {
  const { hans, ...at } = await office();
  const said: string[] = [];
  const run = async (words: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await at.run(words, { COLUMNS: '100', DISPATCHER_AGENT: 'hans' });
    const text = stdout + stderr;
    said.push(text);
    expect({ words, raw: RAW.exec(text)?.[0], forged: /^health: ok/mu.exec(text)?.[0] }).toEqual({ words });
  };
  for (const words of LINES) await run(words);
  // And of a folder that cannot be used.
  symlinkSync('/', join(hans, FOLDER, 'done'));
  for (const words of [[], ['doctor'], ['explain'], ['status']]) await run(words);
  // All of it was there to be shown.
  expect(readdirSync(hans)).toContain(FOLDER);
  expect(said.join('')).toMatch(/folder_unusable: .*in\]?0?;?title|nothing is dispatched to hans: .*title/u);
  expect(said.join('')).toContain('acme/app#5');
}, 120_000);
