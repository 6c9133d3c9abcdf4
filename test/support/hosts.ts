// Several hosts of one office: folders as on machines of their own, with a database in common that each reaches through a
// proxy of its own.

import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Workspace, workspace } from './command.ts';
import { type Cluster, PASSWORD } from './postgres.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface Host extends Workspace {
  readonly name: string;
  /** What lies between it and the database. */
  readonly proxy: TcpProxy;
}

export interface HostsOptions {
  readonly cluster: Cluster;
  /** The agents of each host, by its name. Null: every assignee is one. */
  readonly agents: Readonly<Record<string, readonly string[] | null>>;
  /** More of the configuration of all of them. */
  readonly yaml?: string;
  readonly lease?: string;
  /** What a host of that name reads. */
  readonly repositoriesOf?: (name: string) => readonly string[];
  /** Makes the database, where that is not as usual. */
  readonly createDatabase?: () => void;
}

/** The database of the hosts. */
export const DATABASE = 'dispatcher';

/** Hosts with a database of their own in the cluster, made by `store init`. They go away when the test is over. */
export async function hostsOf({
  cluster,
  agents,
  yaml = '',
  lease = '5m',
  repositoriesOf = () => ['acme/app'],
  createDatabase = () => void cluster.sql(`create database ${DATABASE}`),
}: HostsOptions): Promise<readonly [Host, ...Host[]]> {
  cluster.sql(`drop database if exists ${DATABASE} with (force)`);
  createDatabase();
  const hosts: Host[] = [];
  for (const [name, own] of Object.entries(agents)) {
    const proxy = await startTcpProxy(cluster.port);
    onTestFinished(async () => proxy.close());
    const [first] = hosts;
    const at = await workspace({
      ...(first ? { beside: first } : {}),
      yaml: [
        `gitea: { url: URL, repositories: [${repositoriesOf(name)
          .map((each) => JSON.stringify(each))
          .join(', ')}] }`,
        own === null ? '' : `agents: { ${own.map((agent) => `${JSON.stringify(agent)}: {}`).join(', ')} }`,
        `store: { urlFile: store-url, host: ${name}, lease: ${lease} }`,
        yaml,
      ].join('\n'),
    });
    at.write('store-url', cluster.url(DATABASE, { port: proxy.port }));
    chmodSync(`${at.folder}/store-url`, 0o600);
    hosts.push({ ...at, name, proxy });
  }
  const [one, ...others] = hosts;
  if (!one) throw new Error('there is no host');
  const made = await one.run(['store', 'init']);
  if (made.code !== 0) throw new Error(`store init ended with ${made.code}: ${made.stderr}`);
  return [one, ...others];
}

/** Rows of the hosts' database. */
export const rowsOf = (cluster: Cluster, statement: string): readonly string[] => cluster.sql(statement, DATABASE);

/** Files and outputs in which the password of the database stands, other than the one it is configured in. */
export function leaks(host: Host, outputs: readonly string[]): readonly string[] {
  // What is kept of a configuration as well, which is no file of an office.
  const all = readdirSync(host.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = all.filter(({ name }) => name !== 'store-url').map(({ parentPath, name }) => join(parentPath, name));
  const telling = files.filter((file) => readFileSync(file, 'latin1').includes(PASSWORD));
  return [...telling, ...outputs.filter((text) => text.includes(PASSWORD))].map(
    (where) => `I6 ${host.name}: the password of the database is in ${where}`,
  );
}
