import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addTask } from '../support/mailbox.ts';
import { COMMAND, NODE, RECORDING, type Workspace, workspace } from '../support/command.ts';

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** An office with one dispatched and two waiting issues, and the command on its PATH. */
async function office(): Promise<{ readonly at: Workspace; readonly env: Record<string, string> }> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app, acme/api] }\nagents: { hans: {}, greta: {} }\n',
  });
  for (const number of [1, 2, 3]) {
    at.gitea.addIssue({ repository: 'acme/app', number, title: `It's $(touch pwned) :${number}`, assignees: ['hans'] });
  }
  at.gitea.addIssue({ repository: 'acme/api', number: 9, title: 'x', assignees: ['greta'] });
  await at.run([]);
  mkdirSync(join(at.folder, 'bin'));
  at.write('bin/dispatcher', `#!/bin/sh\nexec '${NODE}' '${COMMAND}' "$@"\n`);
  chmodSync(join(at.folder, 'bin/dispatcher'), 0o755);
  return {
    at,
    env: { PATH: `${join(at.folder, 'bin')}:${process.env['PATH']}`, HOME: at.folder, TERM: 'dumb', ...RECORDING },
  };
}

const SHELLS = [
  {
    shell: 'bash',
    ask: (words: readonly string[]) => [
      '-c',
      `source <(dispatcher completion bash); COMP_WORDS=(dispatcher ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _dispatcher; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
  },
  {
    shell: 'fish',
    ask: (words: readonly string[]) => [
      '-c',
      `dispatcher completion fish | source; complete -C 'dispatcher ${words.join(' ')}'`,
    ],
  },
  {
    shell: 'zsh',
    ask: (words: readonly string[]) => [
      '-fc',
      `compdef() {}; _describe() { print -rl -- "\${offers[@]}" }; _files() { print files }; source <(dispatcher completion zsh); words=(dispatcher ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _dispatcher`,
    ],
  },
];

test.for(SHELLS)(
  '$shell completes commands, options, agents, repositories and waiting issues',
  async ({ shell, ask }, { skip }) => {
    if (!has(shell)) skip(`${shell} is not installed`);
    const { at, env } = await office();
    const offered = (...words: readonly string[]): readonly string[] => {
      const { stdout, stderr } = spawnSync(shell, ask(words), { encoding: 'utf8', cwd: at.folder, env });
      expect(stderr).toBe('');
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\t|(?<!\\):/u, 1)[0] ?? '')
        .toSorted();
    };
    expect(offered('sta')).toEqual(['status']);
    expect(offered('systemd', '')).toEqual(['install', 'print', 'uninstall']);
    expect(offered('dispatch', '--is')).toEqual(['--issue']);
    expect(offered('dispatch', '--issue', '')).toEqual(['1', '2', '3']);
    expect(offered('dispatch', '--issue', '2', '--agent', '')).toEqual(['greta', 'hans']);
    expect(offered('dispatch', '--repo', 'acme/ap')).toEqual(['acme/api', 'acme/app']);
    expect(offered('help', 'e')).toEqual(['environment', 'exit-codes', 'explain']);
    expect(at.files()).not.toContain('pwned');
  },
);

/** An office whose agents' files have names and titles made to be run by a shell. */
async function hostileOffice(): Promise<Awaited<ReturnType<typeof office>>> {
  const { at, env } = await office();
  const refs = [
    '$(touch pwned)/x#1',
    'a/b;touch pwned#2',
    '-rf/x#3',
    "it's/x#4",
    'a/b#5\nc/d#6',
    '../../etc#7',
    'a/b#x',
    '#8',
  ];
  for (const [index, ref] of refs.entries())
    addTask(at, `hans/doing/issue-${index + 50}.md`, { ref, title: '`touch pwned`\t\u001B[2J' });
  for (const [number, place] of [
    [11, 'doing/'],
    [12, ''],
    [13, 'blocked/'],
    [14, 'done/'],
  ] as const)
    addTask(at, `hans/${place}issue-${number}.md`, { title: '`touch pwned`:\u001B[2J $(touch pwned)' });
  // An agent's own user knows no more than this.
  const { folder } = at;
  return { at, env: { ...env, DISPATCHER_TASKS: join(folder, '.agent-tasks'), DISPATCHER_AGENT: 'hans' } };
}

test.for(SHELLS)(
  '$shell completes tasks from the folder of the agent, whatever its files say',
  async ({ shell, ask }, { skip }) => {
    if (!has(shell)) skip(`${shell} is not installed`);
    const { at, env } = await hostileOffice();
    const offered = (...words: readonly string[]): readonly string[] => {
      const { stdout, stderr } = spawnSync(shell, ask(words), { encoding: 'utf8', cwd: at.folder, env });
      expect(stderr).toBe('');
      expect(stdout).not.toContain('\u001B');
      const lines = stdout.trim() === '' ? [] : stdout.trim().split('\n');
      return lines.map((line) => line.split(/\t|(?<!\\):/u, 1)[0] ?? '');
    };
    expect(offered('done', '')).toEqual(['acme/app#11', 'acme/app#12']);
    expect(offered('block', 'acme/app#1')).toEqual(['acme/app#11', 'acme/app#12']);
    expect(offered('release', '').toSorted()).toEqual(['acme/app#11', 'acme/app#13', 'acme/app#14']);
    expect(offered('done', '--agent', '').toSorted()).toEqual(['greta', 'hans']);
    expect(offered('next', '--agent', 'h')).toEqual(['hans']);
    expect(offered('done', '--agent', 'greta', '')).not.toContain('acme/app#11');
    expect(at.files()).not.toContain('pwned');
  },
);

test('an agent that may not read the configuration is offered the agents that have a folder', async () => {
  const { at } = await hostileOffice();
  const { stdout } = await at.run([
    '__complete',
    '--',
    '--config',
    '/nowhere',
    'next',
    '--tasks',
    '.agent-tasks',
    '--agent',
    '',
  ]);
  expect(stdout.split('\n')).toContain('hans');
});

test('without a configuration it offers what needs none, and is silent', async () => {
  const { at } = await office();
  const { code, stdout, stderr } = await at.run(['__complete', '--', '--config', '/nowhere', 'status', '--agent', '']);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
});
