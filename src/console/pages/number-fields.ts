/** Number fields of forms, with the same bounds as flags and the API. PURE. */
import { z } from 'zod';
import { decimalOf, LARGEST, wholeOf } from '../../text/numbers.ts';

export const wholeField = z
  .string()
  .trim()
  .transform(wholeOf)
  .pipe(z.number('must be a whole number from 1, of at most 15 digits'));

const MUST = `must be a number above 0 and at most ${LARGEST.number}, as in 10 or 0.5`;

export const decimalField = z
  .string()
  .trim()
  .transform(decimalOf)
  .pipe(z.number(MUST).positive(MUST).max(LARGEST.number, MUST));
