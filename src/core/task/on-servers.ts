import { bareName, nameOn, type Servers } from '../config/servers.ts';
import { presentName, serverOf } from '../issue/identity.ts';
import type { TrackedTask } from './tracked.ts';

/**
 * A task as the configuration calls it now: its server may have moved to another address, and have got another name or none since it
 * was dispatched. The same value where nothing of that is so. What is on no configured server has no name in front.
 */
export function onServers(config: { readonly servers: Servers }): (task: TrackedTask) => TrackedTask {
  const present = presentName(config);
  const names = new Map(config.servers.map(({ url, name }) => [serverOf(url), name]));
  return (task) => {
    const server = present(task.server);
    const name = names.get(server) ?? null;
    const isSame = server === task.server && nameOn(name, bareName(task.repository)) === task.repository;
    return isSame ? task : { ...named(task, name), server };
  };
}

// Whatever it waits for, and its pull requests, are on the same server; what an agent named elsewhere keeps its name.
function named(task: TrackedTask, name: string | null): TrackedTask {
  const { repository, waitsFor, pulls } = task;
  const here = repository.slice(0, repository.length - bareName(repository).length);
  const rename = (each: string): string =>
    here === '' || each.startsWith(here) ? nameOn(name, each.slice(here.length)) : each;
  return {
    ...task,
    repository: rename(repository),
    waitsFor: waitsFor && {
      ...waitsFor,
      listed: waitsFor.listed.map((ref) => rename(ref)),
      others: waitsFor.others.map((ref) => rename(ref)),
    },
    pulls: pulls.map((pull) => ({ ...pull, repository: rename(pull.repository) })),
  };
}
