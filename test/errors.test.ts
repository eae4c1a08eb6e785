import { expect, test } from 'vitest';
import { causeOf, errorCode } from '../src/errors.ts';

const withCode = (code: string): Error =>
  Object.assign(new Error(`${code}: as Node says it, open '/x'`), { code });

test.each([
  [withCode('ENOSPC'), 'the disk is full (ENOSPC)'],
  [withCode('EACCES'), 'permission denied (EACCES)'],
  [withCode('EXDEV'), 'cross-device link not permitted (EXDEV)'],
  [Object.assign(new Error('no more'), { code: 'ERR_STREAM' }), 'no more (ERR_STREAM)'],
  [
    Object.assign(new Error('x'), { code: 'ERR_SYSTEM_ERROR', info: { code: 'ENOENT' } }),
    'there is no such file or folder (ENOENT)',
  ],
  [new Error('what it says'), 'what it says'],
  ['text', 'text'],
])('the cause of %s is told as: %s', (error, phrase) => expect(causeOf(error)).toBe(phrase));

test('what is no object has no code', () => expect(errorCode('ENOENT')).toBeUndefined());
