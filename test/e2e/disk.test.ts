import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';

const canMount =
  spawnSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d" && rmdir "$d"']).status === 0;

test.skipIf(!canMount)(
  'a disk too full to record even that a pass failed: status says so all the same, until one succeeds',
  async () => {
    const at = await workspace();
    at.gitea.addRepository('acme/app');
    const disk = join(at.folder, '.agent-dispatcher');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    await at.run([]);
    expect((await at.run(['status', '--exit-status'])).code).toBe(0);
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'ballast')}`, 'bs=4k']);
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    const full = await at.run([]);
    expect(full).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ENOSPC[^\n]*bytes free there[^]*make room/u),
    });
    const { code, stderr } = await at.run(['status', '--exit-status']);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^✖ failing: 1 pass[^\n]*could not be recorded in [^\n]*\.agent-dispatcher\n {2}fix: is the disk full/u,
    );
    execFileSync('rm', [join(disk, 'ballast')]);
    expect((await at.run([])).stdout).toMatch(/DISPATCHED[^]*RECOVERED/u);
    expect((await at.run(['status', '--exit-status'])).code).toBe(0);
  },
);

// Skipped where file systems cannot be mounted: it takes root.
test.skipIf(!canMount)(
  'on a full disk nothing is dispatched, it is said how to mend it, and with room again the task goes',
  async () => {
    const at = await workspace();
    const disk = join(at.folder, '.agent-tasks');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    at.gitea.addIssue({ repository: 'acme/app', body: 'x'.repeat(200_000), assignees: ['hans'] });
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'ballast')}`, 'bs=4k', 'count=14']);
    const full = await at.run([]);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(
      /^dispatcher: ENOSPC: no space left on device, write '[^\n]*\/\.agent-tasks\/[^\n]*' \([\d,]+ bytes free there\)\n {2}fix: the disk is full: make room\n$/u,
    );
    expect(at.tasks().filter((name) => name.includes('issue'))).toEqual([]);
    expect((await at.run(['status'])).stderr).toContain('fix: the disk is full: make room');
    execFileSync('rm', [join(disk, 'ballast')]);
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    expect((await at.run([])).stdout).toContain('DISPATCHED');
  },
);
