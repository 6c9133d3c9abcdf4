import { describe, expect, test } from 'vitest';
import { activePauses, brokenPause, parsePause, pauseOf, pauseText } from '../../../src/core/state/pause.ts';
import { aPause, iso, NOON } from '../../support/builders.ts';

const RECORD = { at: iso(NOON), by: 'ana', reason: 'freeze', until: null };

describe('a pause record', () => {
  test('reads back, with its texts as one harmless line', () => {
    expect(parsePause(RECORD, 'hans')).toEqual({ agent: 'hans', ...RECORD });
    const hostile = { ...RECORD, by: '\u001B[31m', reason: `a\nb${'x'.repeat(300)}`, until: iso(NOON + 1) };
    expect(parsePause(hostile, null)).toEqual({
      agent: null,
      at: iso(NOON),
      by: '[31m',
      reason: `a b${'x'.repeat(196)}…`,
      until: iso(NOON + 1),
    });
    expect(parsePause({ ...RECORD, by: '\u200B', reason: null }, null)).toMatchObject({ by: null, reason: null });
  });

  test.for([
    ['nothing', null],
    ['a text', 'paused'],
    ['without its time', { ...RECORD, at: undefined }],
    ['with a time that is none', { ...RECORD, at: 'now' }],
    ['with an end that is none', { ...RECORD, until: 'soon' }],
    ['with a number for a reason', { ...RECORD, reason: 7 }],
  ] as const)('that is broken (%s) holds all the same', ([, raw]) => {
    expect(parsePause(raw, 'hans')).toEqual({
      agent: 'hans',
      at: null,
      by: null,
      reason: 'its record cannot be read; resume takes it away',
      until: null,
    });
    expect(activePauses([brokenPause('hans')], NOON)).toHaveLength(1);
  });
});

describe('a pause', () => {
  test.for([
    { until: null, holds: true },
    { until: iso(NOON + 1), holds: true },
    { until: iso(NOON), holds: false },
    { until: 'no date', holds: true },
  ])('until $until holds at noon: $holds', ({ until, holds }) => {
    expect(activePauses([aPause({ until })], NOON)).toHaveLength(holds ? 1 : 0);
  });

  test('of everything holds each agent, that of one only this one', () => {
    const [all, hans] = [aPause(), aPause({ agent: 'hans' })];
    expect(pauseOf([all], 'greta', NOON)).toBe(all);
    expect(pauseOf([hans], 'hans', NOON)).toBe(hans);
    expect(pauseOf([hans], 'greta', NOON)).toBeUndefined();
    expect(pauseOf([aPause({ until: iso(NOON) })], 'hans', NOON)).toBeUndefined();
  });

  test('tells who did it, and why, as far as that is known', () => {
    expect(pauseText(aPause())).toBe('everything is paused by ana: release freeze');
    expect(pauseText(aPause({ agent: 'hans', by: null }))).toBe('hans is paused: release freeze');
    expect(pauseText(aPause({ agent: 'hans', reason: null }))).toBe('hans is paused by ana');
  });
});
