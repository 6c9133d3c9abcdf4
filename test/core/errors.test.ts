import { describe, expect, test } from 'vitest';
import { errorRecord, hintOf, messageOf, systemCode, UserError } from '../../src/core/errors.ts';

const thrown = (code: unknown): Error => Object.assign(new Error('it failed'), { code });
const cause = new Error('why');
const ours = new UserError('no token', { exitCode: 4, code: 'token_missing', hint: 'write one', cause });

test('an error of ours carries everything that is printed of it', () => {
  expect(ours).toMatchObject({ name: 'UserError', message: 'no token', exitCode: 4, code: 'token_missing', cause });
  expect(hintOf(ours)).toBe('write one');
  expect(hintOf(new UserError('x', { exitCode: 1, code: 'x' }))).toBeNull();
});

describe('whatever is thrown', () => {
  test.for([
    ['ENOSPC', /make room/u],
    ['EDQUOT', /quota .* make room/u],
    ['Unknown system error -122', /quota .* make room/u],
    ['EIO', /dmesg/u],
    ['EEXIST', /move it away/u],
    ['EISDIR', /move it away/u],
    ['ELOOP', /move it away/u],
    ['ENOTDIR', /move it away/u],
    ['EACCES', /let this user write there/u],
    ['EPERM', /let this user write there/u],
    ['EROFS', /read-only; .*ReadWritePaths=/u],
    ['EMFILE', /raise the limit/u],
  ] as const)('%s has a remedy', ([code, hint]) => {
    expect(errorRecord(thrown(code))).toEqual({
      code: code.toLowerCase(),
      message: 'it failed',
      hint: expect.stringMatching(hint),
    });
  });

  test('has a message and a code', () => {
    expect(errorRecord(ours)).toEqual({ code: 'token_missing', message: 'no token', hint: 'write one' });
    expect(errorRecord(thrown('ESOMETHING'))).toEqual({ code: 'esomething', message: 'it failed', hint: null });
    expect(errorRecord('a text')).toEqual({ code: 'unexpected', message: 'a text', hint: null });
    expect(messageOf(new Error('x'))).toBe('x');
  });

  test.for([thrown(7), new Error('no code'), { code: 'ENOENT' }, 'ENOENT', null, undefined])(
    '%o is none of the system',
    (error) => {
      expect(systemCode(error)).toBe('');
    },
  );
});
