import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from '../../src/core/json-text.ts';

test('12.9 escapes what JSON leaves, and a terminal would obey', () => {
  expect(jsonText({ 'a\u009B': '\u001B[2J\u007F\u0085\u202E\u2066é👩' }, 1)).toBe(
    '{\n "a\\u009b": "\\u001b[2J\\u007f\\u0085\\u202e\\u2066é👩"\n}',
  );
});

test('reads back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(0, 2), (value, indent) => {
      const text = jsonText(value, indent);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/u);
    }),
  );
});
