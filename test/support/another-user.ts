// What another user may do can only be tried as another user, and only root can become one.

/** Whether this process may become another user for a while. */
export const CAN_BE_ANOTHER = process.getuid?.() === 0;

/** Does something as another user and group of this machine, without root's powers; numbers need not have names. */
export function asUser<T>(uid: number, work: () => T, groups: readonly number[] = [uid]): T {
  const [group = uid] = groups;
  const before = process.getgroups?.() ?? [];
  process.setgroups?.([...groups]);
  process.setegid?.(group);
  process.seteuid?.(uid);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(before);
  }
}
