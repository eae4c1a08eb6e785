/** Disk errors in the words of a page. PURE. */
import { causeOf, errorCode } from '../../errors.ts';
import { PageError } from '../pages/page-error.ts';

/** A full disk is not a bug: becomes a PageError; any other error stays as it is. */
export function diskError(error: unknown, folder: string): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EACCES' && code !== 'EROFS') return error;
  return new PageError(`Nothing can be saved in ${folder}: ${causeOf(error)}.`, 503);
}
