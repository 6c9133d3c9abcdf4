import { describe, expect, test } from 'vitest';
import { remedyFor } from '../../src/core/remedy.ts';

describe('a remedy is for the configuration that is used', () => {
  test.for<{ named?: string; forRoot?: string; remedy: string; typed: string }>([
    { remedy: 'make one, then: dispatcher token', typed: 'make one, then: dispatcher token' },
    {
      named: 'b.yaml',
      remedy: 'make one, then: dispatcher token',
      typed: 'make one, then: dispatcher --config b.yaml token',
    },
    { named: 'my b.yaml', remedy: 'dispatcher', typed: "dispatcher --config 'my b.yaml'" },
    {
      named: 'b.yaml',
      remedy: 'sudo dispatcher systemd install --now (or: dispatcher systemd install --user --now)',
      typed:
        'sudo dispatcher --config b.yaml systemd install --now (or: dispatcher --config b.yaml systemd install --user --now)',
    },
    {
      forRoot: '/home/me/.config/dispatcher/config.yaml',
      remedy: 'sudo dispatcher systemd install --now (or: dispatcher systemd install --user --now)',
      typed:
        'sudo dispatcher --config /home/me/.config/dispatcher/config.yaml systemd install --now (or: dispatcher systemd install --user --now)',
    },
    // No command of ours, or one that names its configuration.
    ...[
      'sudo usermod -aG dispatcher hans',
      'sudo systemctl restart dispatcher-dashboard',
      'dispatcher help config shows every key',
      'for another one: dispatcher --config OTHER.yaml init',
      '/usr/bin/dispatcher token',
    ].map((remedy) => ({ named: 'b.yaml', forRoot: '/b.yaml', remedy, typed: remedy })),
  ])('$remedy', ({ named = null, forRoot = null, remedy, typed }) => {
    expect(remedyFor(remedy, { named, forRoot })).toBe(typed);
  });
});
