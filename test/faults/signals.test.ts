// Signals, pipes and surroundings: stopped at any moment, with nowhere to print, without a home.

import { test } from 'vitest';
import { finished } from '../support/command.ts';
import { brokenAfterwards, conclude, office, sampled, shell, together } from './experiment.ts';

test('SIGTERM and SIGINT at moments 2 ms apart', async (context) => {
  const moments = sampled(
    Array.from({ length: 100 }, (_, index) => index * 2),
    1,
  );
  const found = await together(moments, async (ms) => {
    const at = await office([1]);
    const child = at.start([]);
    setTimeout(() => child.kill(ms % 20 < 10 ? 'SIGTERM' : 'SIGINT'), ms);
    const stopped = await finished(child);
    const broken = [...(await brokenAfterwards(at, [stopped], { due: ['hans 1'] }))];
    // Before Node has begun to listen, the signal itself ends the process.
    if (![0, 130, null].includes(stopped.code)) broken.push(`exit ${stopped.code}: ${stopped.stderr}`);
    return broken.map((what) => `after ${ms} ms: ${what}`);
  });
  conclude(context, 'stopped by a signal at any moment', moments.length, found);
});

const SURROUNDINGS: readonly { readonly name: string; readonly line: string }[] = [
  { name: 'stdout closed', line: 'exec "$@" >&-' },
  { name: 'stderr closed', line: 'exec "$@" 2>&-' },
  { name: 'both closed', line: 'exec "$@" >&- 2>&-' },
  { name: 'stdin closed', line: 'exec "$@" <&-' },
  { name: 'stdout full', line: 'exec "$@" >/dev/full' },
  { name: 'stdout to nobody', line: '"$@" | true' },
  { name: 'no HOME', line: 'unset HOME; exec "$@"' },
  { name: 'LANG=C', line: 'LANG=C LC_ALL=C exec "$@"' },
  { name: 'TZ unknown', line: 'TZ=Nowhere/At_All exec "$@"' },
  { name: 'TZ at the change of the clocks', line: 'TZ=America/Sao_Paulo exec "$@"' },
  { name: 'no TERM', line: 'unset TERM; exec "$@"' },
  { name: 'few open files', line: 'ulimit -n 40; exec "$@"' },
  { name: 'umask 077', line: 'umask 077; exec "$@"' },
  { name: 'nice 19', line: 'exec nice -n 19 "$@"' },
  { name: 'ignored SIGPIPE', line: 'trap \'\' PIPE; exec "$@" | true' },
];

test('surroundings that are not as usual', async (context) => {
  const found = await together(SURROUNDINGS, async ({ name, line }) => {
    const at = await office([1]);
    const ended = await finished(shell(at, line));
    const broken = [...(await brokenAfterwards(at, [ended], { due: ['hans 1'] }))];
    if (ended.code !== 0) broken.push(`exit ${ended.code}: ${ended.stderr}`);
    return broken.map((what) => `${name}: ${what}`);
  });
  conclude(context, 'unusual surroundings', SURROUNDINGS.length, found);
});
