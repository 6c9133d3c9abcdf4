import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startedPaths, tokenCredential } from '../../src/io/systemd.ts';

describe('what a service starts, as systemctl tells it: without quotes', () => {
  test.for<{ path: string; rest: string; started: readonly string[] }>([
    {
      path: '/usr/bin/node',
      rest: ' /usr/lib/x/dispatcher.js dispatch',
      started: ['/usr/bin/node', '/usr/lib/x/dispatcher.js'],
    },
    {
      path: '/opt/my node/bin/node',
      rest: ' /srv/two words/bin/dispatcher.js dispatch --quiet --config /srv/my office/dispatcher.yaml',
      started: ['/opt/my node/bin/node', '/srv/two words/bin/dispatcher.js'],
    },
    {
      path: '/usr/bin/node',
      rest: ' --no-warnings /usr/local/bin/dispatcher dispatch',
      started: ['/usr/bin/node', '/usr/local/bin/dispatcher'],
    },
    // No script: a configuration is none.
    { path: '/usr/bin/dispatcher', rest: ' dispatch --config /etc/x.yaml', started: ['/usr/bin/dispatcher'] },
  ])('$path with $rest', ({ path, rest, started }) => {
    const ExecStart = `{ path=${path} ; argv[]=${path}${rest} ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; status=0/0 }`;
    expect(startedPaths({ ExecStart })).toEqual(started);
  });
});

test('the file that a unit hands over as a token is the rest of its line, blanks and percent signs as well', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const unit = join(folder, 'dispatcher.service');
  writeFileSync(unit, '[Service]\nLoadCredential=gitea-token:/srv/my office/100%%/token\n');
  expect(tokenCredential({ FragmentPath: unit }, null)).toBe('/srv/my office/100%/token');
  expect(tokenCredential({ FragmentPath: unit }, 'team')).toBeNull();
});
