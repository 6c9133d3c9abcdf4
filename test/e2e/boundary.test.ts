// Who owns only a folder, or may only write text, can neither steer the dispatcher nor the terminal of whoever looks.

import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';

describe('what the dispatcher alone writes', () => {
  test('nobody else may write, whatever the umask', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    expect((await at.run([])).code).toBe(0);
    expect((await at.run(['pause'])).code).toBe(0);
    const mode = (path: string): string => (statSync(join(at.folder, path)).mode & 0o777).toString(8);
    expect(mode('.agent-dispatcher')).toBe('750');
    expect(mode('.agent-dispatcher/lock')).toBe('600');
    for (const file of ['state.json', 'dispatches.jsonl', 'pauses/all.json'])
      expect([file, mode(`.agent-dispatcher/${file}`)]).toEqual([file, '640']);
    expect(mode('.agent-dispatcher.log')).toBe('640');
    // ... and the task files are what the operator's umask makes them.
    expect(mode('.agent-tasks/hans/issue-1.md')).toBe('666');
  });

  test('metrics are readable for everybody, and what a link there leads to stays private', async () => {
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\nmonitor: { metricsFile: out/dispatcher.prom }\n',
    });
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    mkdirSync(join(at.folder, 'out'));
    writeFileSync(join(at.folder, 'secret'), 'secret', { mode: 0o600 });
    symlinkSync('../secret', join(at.folder, 'out/dispatcher.prom'));
    for (let pass = 0; pass < 2; pass += 1) expect(await at.run([])).toMatchObject({ code: 0, stderr: '' });
    expect(statSync(join(at.folder, 'secret')).mode & 0o777).toBe(0o600);
    expect(at.read('secret')).toBe('secret');
    expect(statSync(join(at.folder, 'out/dispatcher.prom')).mode & 0o777).toBe(0o644);
  });
});

describe('what an agent writes in its folder', () => {
  test('steers no terminal, and puts nothing on a command line', async () => {
    const at = await workspace();
    const hans = join(at.folder, '.agent-tasks/hans');
    mkdirSync(join(hans, 'in\u001B]0;title\u0007\u001B[2J'), { recursive: true });
    const front = (number: number, repository: string): string =>
      `---\nschema: "dispatcher.task/1"\nissue: ${number}\nrepository: "${repository}"\n---\n`;
    writeFileSync(join(hans, 'in\u001B]0;title\u0007\u001B[2J', 'a\nhealth: ok.md'), front(1, 'acme/$(touch pwned)'));
    writeFileSync(join(hans, 'issue-2.md'), front(2, 'a/b;touch${IFS}pwned'));
    for (const words of [['status'], ['status', '--agent', 'hans'], ['explain', '--issue', '1']]) {
      const { stdout, stderr } = await at.run(words, { COLUMNS: '100' });
      expect(stdout + stderr).not.toMatch(/[\u001B\u0007]|^health: ok/mu);
    }
    const { stdout } = await at.run(['__complete', '--', 'dispatch', '--repo', '']);
    expect(stdout).toContain('acme/app');
    expect(stdout).not.toMatch(/pwned|[$;`]/u);
  });

  test('a broken folder is its own: the others get theirs in the same pass, and explain says it', async () => {
    const at = await workspace();
    await at.run([]); // without a state, a folder that nothing can be said of counts as just written to
    const tasks = join(at.folder, '.agent-tasks');
    mkdirSync(join(tasks, 'hans'), { recursive: true });
    symlinkSync('../greta', join(tasks, 'hans/done'));
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'], labels: ['critical'] });
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['greta'] });
    const { code, stdout } = await at.run([]);
    expect(code).toBe(0);
    expect(stdout).toContain(`nothing is dispatched to hans: ${tasks}/hans/done is not a folder`);
    expect(stdout).toContain('DISPATCHED: greta');
    expect((await at.run(['explain'])).stdout).toContain('folder_unusable');
    expect((await at.run(['dispatch', '--issue', '1', '--force'])).code).toBe(5);
  });
});
