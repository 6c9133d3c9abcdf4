// A disk that can be filled up, under the tables of a database.

import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from './postgres.ts';
import { newFolder, NOBODY } from './postgres-process.ts';

const TABLESPACE = 'small';

/** Whether a small disk can be mounted here, which only root may, and not in every container. */
export const CAN_MOUNT =
  spawnSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d" && rmdir "$d"']).status === 0;

export interface SmallDisk {
  /** Leaves no byte on it. */
  readonly fill: () => void;
  /** Gives all of that back. */
  readonly clear: () => void;
  readonly remove: () => void;
}

/** A database whose tables lie on a disk of its own that can be filled up: what its server then answers is `53100`. */
export function databaseOnSmallDisk(cluster: Cluster, database: string, megabytes = 32): SmallDisk {
  const disk = newFolder();
  execFileSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${megabytes}m,mode=0700,uid=${NOBODY},gid=${NOBODY}`,
    'tmpfs',
    disk,
  ]);
  mkdirSync(join(disk, 'space'));
  chownSync(join(disk, 'space'), NOBODY, NOBODY);
  cluster.sql([
    `create tablespace ${TABLESPACE} location '${join(disk, 'space')}'`,
    `create database ${database} tablespace ${TABLESPACE}`,
  ]);
  const ballast = join(disk, 'ballast');
  return {
    fill: () => void spawnSync('sh', ['-c', `cat /dev/zero > '${ballast}'`], { stdio: 'ignore' }),
    clear: () => rmSync(ballast, { force: true }),
    remove: () => {
      // Its server may still have files open: they are gone when it is.
      execFileSync('umount', ['--lazy', disk]);
      rmSync(disk, { recursive: true, force: true });
    },
  };
}
