import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMAND, NODE, RECORDING, workspace } from '../support/command.ts';

interface Pings {
  readonly url: string;
  readonly seen: readonly string[];
}

/** A service that expects pings; with `hangs` it takes them and never answers. */
async function pingService({ hangs = false } = {}): Promise<Pings> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${body}`);
      if (!hangs) response.end('OK');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, seen };
}

const yaml = (monitor: string): string =>
  `gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {} }\nmonitor: ${monitor}\n`;

describe('monitor.pingUrl', () => {
  test('is told of a good pass, and with /fail why one failed', async () => {
    const pings = await pingService();
    const at = await workspace({ yaml: yaml(`{ pingUrl: "${pings.url}/ping/uuid?x=1" }`) });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: [] });
    expect((await at.run([])).code).toBe(0);
    expect((await at.run([], { GITEA_TOKEN: 'wrong' })).code).toBe(4);
    expect(pings.seen).toEqual([
      'POST /ping/uuid?x=1 ok',
      expect.stringMatching(/^POST \/ping\/uuid\/fail\?x=1 Gitea refused the token \(401\)/u),
    ]);
  });

  test.for([
    { trouble: 'a service that is down', hangs: false, says: /127\.0\.0\.1:9 did not take the ping/u },
    { trouble: 'one that never answers', hangs: true, says: /did not take the ping: no answer in time/u },
  ])('$trouble is a warning without the secret address, and the pass counts', async ({ hangs, says }) => {
    const pings = await pingService({ hangs: true });
    const url = hangs ? pings.url : 'http://127.0.0.1:9';
    const at = await workspace({ yaml: yaml(`{ pingUrl: "${url}/ping/secret" }`) });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    const { code, stdout, stderr } = await at.run([]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringContaining('DISPATCHED: hans'),
      stderr: expect.stringMatching(says),
    });
    expect(stderr).not.toContain('secret');
  });
});

describe('monitor.metricsFile', () => {
  test('holds the metrics after each pass, good or bad, for everybody to read', async () => {
    const at = await workspace({ yaml: yaml('{ metricsFile: metrics/dispatcher.prom, office: acme }') });
    mkdirSync(join(at.folder, 'metrics'));
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    await at.run([]);
    expect(at.read('metrics/dispatcher.prom')).toMatch(
      /dispatcher_dispatches_total\{office="acme",agent="hans",priority="NORMAL"\} 1/u,
    );
    expect(statSync(join(at.folder, 'metrics/dispatcher.prom')).mode & 0o777).toBe(0o644);
    await at.run([], { GITEA_TOKEN: 'wrong' });
    expect(at.read('metrics/dispatcher.prom')).toMatch(/^dispatcher_consecutive_failures\{office="acme"\} 1$/mu);
  });

  test('a folder that is not there is a warning', async () => {
    const at = await workspace({ yaml: yaml('{ metricsFile: nowhere/dispatcher.prom }') });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: [] });
    const { code, stderr } = await at.run([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/metrics file could not be written/u) });
  });
});

test('a long listing tells how far it is on a terminal, and nothing in a pipe', async () => {
  const at = await workspace();
  for (let number = 1; number <= 120; number += 1) {
    at.gitea.addIssue({ repository: 'acme/app', number, title: 'x', assignees: ['hans'] });
  }
  expect((await at.run(['dispatch', '--dry-run'])).stderr).toBe('');
  const child = spawn('script', ['-qec', `${NODE} ${COMMAND} dispatch --dry-run`, '/dev/null'], {
    cwd: at.folder,
    env: { PATH: process.env['PATH'], HOME: at.folder, GITEA_TOKEN: at.gitea.token, TERM: 'xterm', ...RECORDING },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  expect(text).toContain('Listing acme/app: 120 of 120 issues\r\u001B[KDry run');
});
