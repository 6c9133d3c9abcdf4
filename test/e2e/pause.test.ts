import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';

async function office(): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n',
  });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'], labels: ['critical'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['greta'] });
  return at;
}

describe('pause and resume', () => {
  test('nothing is dispatched until resumed; log, status and dry run say who, why and since when', async () => {
    const at = await office();
    const paused = await at.run(['pause', '--reason', 'release freeze'], { USER: 'ana' });
    expect(paused).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/⏸ PAUSED: everything is paused by ana: release freeze\n$/u),
    });
    expect((await at.run([])).code).toBe(0);
    expect(at.tasks()).toEqual([]);
    expect((await at.run(['status'])).stderr).toMatch(
      /^‖ paused since \d+s, by ana: release freeze\n {2}fix: dispatcher resume\n/u,
    );
    expect(JSON.parse((await at.run(['status', '--json'])).stdout)).toMatchObject({
      health: 'paused',
      pauses: [{ agent: null, by: 'ana', reason: 'release freeze', until: null }],
      counts: { skipped: 2 },
    });
    expect((await at.run(['dispatch', '-n'])).stdout).toContain('paused: everything is paused by ana: release freeze');
    expect((await at.run(['resume'], { USER: 'bob' })).stdout).toMatch(/▶ RESUMED: everything by bob\n$/u);
    await at.run([]);
    expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
    expect(at.read('.agent-dispatcher.log')).toMatch(/PAUSED[^]*RESUMED[^]*DISPATCHED/u);
  });

  test.for(['9999999999d', '3651d', '0m', 'soon'])(
    '11.16 %j is no time to pause for: exit 2, and nothing is paused',
    async (time) => {
      const at = await office();
      const { code, stderr } = await at.run(['pause', '--for', time]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('such as 30m, 2h or 3d') });
      expect((await at.run(['resume'])).stdout).toBe('Nothing is paused.\n');
    },
  );

  test('status says at once that one agent is paused, by whom, why and what ends it, on a terminal and in a pipe', async () => {
    const at = await office();
    await at.run([]);
    await at.run(['pause', '--agent', 'greta', '--reason', 'on holiday'], { USER: 'ana' });
    const { stderr } = await at.run(['status']);
    expect(stderr).toMatch(
      /^● ok: .*\n‖ greta is paused since \d+s, by ana: on holiday; resume: dispatcher resume --agent greta\n$/u,
    );
  });

  test('one agent is paused, the others go on', async () => {
    const at = await office();
    await at.run(['pause', '--agent', 'Hans']);
    await at.run([]);
    expect(at.tasks()).toEqual(['.agent-tasks/greta/issue-2.md']);
    expect((await at.run(['status'])).stderr).toMatch(/^● ok/u);
    expect(await at.run(['dispatch', '--issue', '1'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('paused: hans is paused'),
    });
    expect((await at.run(['dispatch', '--issue', '1', '--force'])).stdout).toContain(
      'lifted by --force: paused: hans is paused',
    );
  });

  test('a pause ends by itself', async () => {
    const at = await office();
    await at.run(['pause', '--for', '1h']);
    await at.run([]);
    expect(at.tasks()).toEqual([]);
    const file = '.agent-dispatcher/pauses/all.json';
    const order = JSON.parse(at.read(file));
    expect(Date.parse(order.until) - Date.parse(order.at)).toBe(3_600_000);
    const now = new Date().toISOString();
    at.write(file, JSON.stringify({ ...order, until: now }));
    await at.run([]);
    expect(at.tasks()).toHaveLength(1);
  });

  test.for(['{"at":', '[]', '', '{"at":"yesterday","by":null,"reason":null,"until":null}'])(
    'a broken record (%s) holds, and resume takes it away',
    async (text) => {
      const at = await office();
      mkdirSync(join(at.folder, '.agent-dispatcher/pauses'), { recursive: true });
      at.write('.agent-dispatcher/pauses/all.json', text);
      await at.run([]);
      expect(at.tasks()).toEqual([]);
      expect((await at.run(['status'])).stderr).toContain('paused: its record cannot be read; resume takes it away');
      await at.run(['resume']);
      await at.run([]);
      expect(at.tasks()).toHaveLength(1);
    },
  );

  test('resuming one agent says that everything is still paused, and resuming everything takes back each pause', async () => {
    const at = await office();
    await at.run(['pause']);
    await at.run(['pause', '--agent', 'hans']);
    expect((await at.run(['resume', '--agent', 'hans'])).stdout).toContain('Still paused: everything is paused');
    expect((await at.run(['resume', '--agent', 'hans'])).stdout).toContain('hans is not paused by itself');
    await at.run(['pause', '--agent', 'greta']);
    expect((await at.run(['resume'])).stdout).toMatch(/RESUMED: everything, greta/u);
    expect((await at.run(['resume'])).stdout).toBe('Nothing is paused.\n');
  });

  test.for([
    { args: ['pause', '--agent', 'nobody'], says: 'there is no agent nobody\n  fix: configured: hans, greta' },
    { args: ['pause', '--for', 'long'], says: 'a time such as 30m' },
    { args: ['pause', '--for', '0m'], says: 'a time such as 30m' },
  ])('$args is wrong usage', async ({ args, says }) => {
    expect(await (await office()).run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) });
  });

  test('a state folder that cannot be written is an error, never a silent no', async () => {
    if (process.getuid?.() === 0) return; // root writes anywhere
    const at = await office();
    mkdirSync(join(at.folder, '.agent-dispatcher'));
    chmodSync(join(at.folder, '.agent-dispatcher'), 0o500);
    expect(await at.run(['pause'])).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be changed') });
  });
});
