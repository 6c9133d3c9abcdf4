import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';

const canMount =
  spawnSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d" && rmdir "$d"']).status === 0;

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
      /^dispatcher: ENOSPC: no space left on device[^\n]*\n {2}fix: the disk is full: make room\n$/u,
    );
    expect(at.tasks().filter((name) => name.includes('issue'))).toEqual([]);
    expect((await at.run(['status'])).stderr).toContain('fix: the disk is full: make room');
    execFileSync('rm', [join(disk, 'ballast')]);
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    expect((await at.run([])).stdout).toContain('DISPATCHED');
  },
);
