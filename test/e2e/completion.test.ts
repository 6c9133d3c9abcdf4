import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

test('without a configuration it offers what needs none, and is silent', async () => {
  const { at } = await office();
  const { code, stdout, stderr } = await at.run(['__complete', '--', '--config', '/nowhere', 'status', '--agent', '']);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
});
