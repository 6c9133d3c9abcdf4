// The way to the database: encrypted, and to nobody who only says that it is he.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { NOBODY, noPostgres } from '../support/postgres-process.ts';

const lacking = noPostgres();

describe.skipIf(lacking !== null)('a database that speaks TLS', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  let cluster: Cluster;
  beforeAll(async () => {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const form = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', ...form, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    chmodSync(folder, 0o755);
    chmodSync(key, 0o600);
    if (process.getuid?.() === 0) chownSync(key, NOBODY, NOBODY);
    const settings = { ssl: 'on', ssl_cert_file: `'${certificate}'`, ssl_key_file: `'${key}'` };
    cluster = await startPostgres({ settings });
  }, 60_000);
  afterAll(async () => {
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test.for([
    ['its authority is named', 'localhost', '', 'caFile: CA', 0, 'has its tables now'],
    ['its authority is not known', 'localhost', '?sslmode=verify-full', '', 78, 'has a certificate that does not hold'],
    [
      'it has another name',
      '127.0.0.1',
      '?sslmode=verify-full',
      'caFile: CA',
      78,
      'has a certificate that does not hold',
    ],
    ['only the authority is to hold', '127.0.0.1', '?sslmode=verify-ca', 'caFile: CA', 0, 'has its tables now'],
    ['nobody is asked who he is', 'localhost', '?sslmode=require', '', 0, 'has its tables now'],
    [
      'the authority is not there',
      'localhost',
      '',
      'caFile: /nowhere',
      78,
      "certificates of the database's authority cannot be read",
    ],
  ] as const)('%s', async ([what, host, query, ca, code, says]) => {
    const at = await workspace();
    at.write('store-url', cluster.url().replace('127.0.0.1', host) + query);
    const schema = `tls_${what.replaceAll(' ', '_')}`;
    const authority = ca === '' ? '' : `, ${ca.replace('CA', certificate)}`;
    at.write(
      'dispatcher.yaml',
      `gitea: { url: ${at.gitea.url}, repositories: [acme/app] }\nstore: { urlFile: store-url, schema: ${schema}${authority} }\n`,
    );
    const { stdout, stderr, ...ended } = await at.run(['store', 'init']);
    expect({ ...ended, said: stdout + stderr }).toEqual({ code, said: expect.stringContaining(says) });
    if (code === 0) expect((await at.run(['doctor'])).stdout).toContain(`schema ${schema}, over TLS`);
  });
});
