/** What a disk refuses, as a page says it. PURE. */
import { causeOf, errorCode } from '../../errors.ts';
import { PageError } from '../pages/page-error.ts';

/** A disk that is full is nobody's bug: a PageError of it; any other error as it is. */
export function diskError(error: unknown, folder: string): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EACCES' && code !== 'EROFS') return error;
  return new PageError(`Nothing can be kept in ${folder}: ${causeOf(error)}.`, 503);
}
