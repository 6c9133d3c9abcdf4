import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  dispatchMessage,
  journalPrefix,
  jsonLine,
  parseLogLine,
  textLine,
} from '../../../src/core/health/log-event.ts';
import { aCandidate } from '../../support/builders.ts';

const zone = process.env['TZ'];
beforeAll(() => void (process.env['TZ'] = 'Europe/Berlin'));
afterAll(() => void (process.env['TZ'] = zone));
const AT = Date.UTC(2026, 3, 9, 12, 32, 15, 123) + 0.456;

test('a dispatch has the line that scripts already search for: local time, six real digits', () => {
  const candidate = aCandidate({ number: 2, title: 'CRITICAL: silent DB errors' });
  expect(textLine({ name: 'DISPATCHED', message: dispatchMessage(candidate, true) }, AT)).toBe(
    '[DISPATCHER] 2026/04/09 14:32:15.123456 ✅ DISPATCHED: hans → Issue #2 (CRITICAL: silent DB errors) [Priority: CRITICAL]',
  );
  expect(dispatchMessage(candidate, false)).toBe('hans → acme/app#2 (CRITICAL: silent DB errors) [Priority: CRITICAL]');
});

test('summer time begins and ends in the stamp as on the wall', () => {
  const stamp = (at: number): string | undefined => textLine({ name: 'ERROR', message: '' }, at).split(' ')[2];
  expect(stamp(Date.UTC(2026, 2, 29, 0, 59, 59, 999))).toBe('01:59:59.999000');
  expect(stamp(Date.UTC(2026, 2, 29, 1, 0, 0, 0))).toBe('03:00:00.000000');
  expect(stamp(Date.UTC(2026, 9, 25, 1, 0, 0, 0))).toBe('02:00:00.000000');
});

test('the journal learns how weighty a line is', () => {
  expect(journalPrefix({ name: 'DISPATCHED', message: '' })).toBe('<5>');
  expect(journalPrefix({ name: 'ERROR', message: '' })).toBe('<3>');
  expect(journalPrefix({ name: 'WARNING', message: '' })).toBe('<4>');
});

test('whatever a title holds, a line stays one line of printable text, and JSON stays JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (title) => {
      const event = { name: 'DISPATCHED' as const, message: dispatchMessage(aCandidate({ title }), true) };
      expect(textLine(event, AT)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/u);
      const json = jsonLine(event, AT);
      expect(json).not.toContain('\n');
      expect(JSON.parse(json)).toMatchObject({
        event: 'dispatched',
        level: 'notice',
        time: '2026-04-09T12:32:15.123Z',
      });
    }),
    { numRuns: 2000 },
  );
});

test.for([
  ['text', textLine],
  ['json', jsonLine],
] as const)('a line of the form %s reads back to what was written', ([, write]) => {
  const names = fc.constantFrom(
    'DISPATCHED',
    'ALREADY THERE',
    'WARNING',
    'ERROR',
    'RECOVERED',
  ) as fc.Arbitrary<'ERROR'>;
  fc.assert(
    fc.property(names, fc.string({ unit: 'binary' }), (name, message) => {
      const read = parseLogLine(write({ name, message }, AT));
      const again = parseLogLine(write({ name, message: read.message }, AT));
      expect(read).toEqual(again);
      expect([read.name, read.time === null]).toEqual([name, false]);
    }),
  );
});

test('a line of somebody else is a message as it is, without control characters', () => {
  expect(parseLogLine('\u001b[31mKilled\u001b[0m')).toEqual({
    time: null,
    name: null,
    level: 'info',
    message: '[31mKilled[0m',
  });
  expect(parseLogLine('{"not": "ours"}').message).toBe('{"not": "ours"}');
  expect(parseLogLine('{broken').message).toBe('{broken');
});

test('the level is that of the event', () => {
  expect(parseLogLine(textLine({ name: 'ERROR', message: 'x' }, AT)).level).toBe('error');
  expect(parseLogLine(jsonLine({ name: 'WARNING', message: 'x' }, AT)).level).toBe('warning');
});

test('a line that is nearly one of ours is a message as a whole', () => {
  const line = textLine({ name: 'ERROR', message: 'x' }, AT);
  for (const other of [`> ${line}`, line.replace(': x', ' x'), line.replace('.123456', '.123'), `${line}\nmore`]) {
    expect(parseLogLine(other)).toMatchObject({ time: null, name: null, level: 'info' });
  }
  expect(parseLogLine(line.replace('ERROR', 'NEVERHEARD'))).toMatchObject({ name: 'NEVERHEARD', level: 'info' });
  expect(parseLogLine(line.replace(': x', ': '))).toMatchObject({ name: 'ERROR', message: '' });
});

test.for([
  ['{"event":"archived","time":"t","message":"m"}', { time: 't', name: 'ARCHIVED', level: 'notice', message: 'm' }],
  ['{"event":"already_there"}', { time: null, name: 'ALREADY THERE', level: 'info', message: '' }],
  ['{"event":"x","time":7,"message":["m"]}', { time: null, name: 'X', level: 'info', message: '' }],
  ['{"event":7,"message":"m"}', { time: null, name: null, level: 'info', message: '{"event":7,"message":"m"}' }],
  ['null', { time: null, name: null, level: 'info', message: 'null' }],
  ['[{"event":"x"}]', { time: null, name: null, level: 'info', message: '[{"event":"x"}]' }],
  [' {"event":"x"}', { time: null, name: null, level: 'info', message: '{"event":"x"}' }],
] as const)('%s is read as far as it is ours', ([line, read]) => {
  expect(parseLogLine(line)).toEqual(read);
});

test('12.17 a secret in a title, or in what a program printed, is masked in both forms; the form of the line stays', () => {
  const secret = `glpat-${'x1'.repeat(10)}`;
  const candidate = aCandidate({ number: 2, title: `Cookie: ${secret}` });
  const dispatched = textLine({ name: 'DISPATCHED', message: dispatchMessage(candidate, true) }, AT);
  expect(dispatched).toMatch(/✅ DISPATCHED: \S+ → Issue #\d+ \(Cookie: \[masked\]\) \[Priority: [A-Z]+\]$/u);
  const warning = {
    name: 'WARNING',
    message: `onDispatch (wake) ended with 1: GET https://me:pass@host/ ${secret}`,
  } as const;
  for (const line of [textLine(warning, AT), jsonLine(warning, AT)]) {
    expect(line).toContain('onDispatch (wake) ended with 1: GET https://[masked]@host/ [masked]');
  }
});
