/** How a job may be named from now on. Ledgers and plans of earlier releases may hold others (`jobIdSchema`), which stay reachable. PURE. */
import { misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';
import { jobIdSchema } from './format.ts';

/**
 * Browsers take a path that ends in one dot or two for another path, so that a job of such a name would have no page; commands take what
 * begins with a hyphen for a flag or, alone, for their input.
 */
export const jobNameSchema = jobIdSchema
  .regex(/[^.]|\.{3}/, 'may not be one dot or two')
  .regex(/^(?!-)/, 'may not begin with a hyphen');

export const JOB_NAME_RULE =
  '1 to 128 letters, digits and _ . : -, not beginning with -, and not . or .. alone';

export function isJobName(text: string): boolean {
  return jobNameSchema.safeParse(text).success;
}

/** @throws CommandError when the text of --job is no name of a job. */
export function readJobName(text: string): string {
  if (isJobName(text)) return text;
  throw misuse(`--job ${shortPrintable(text)}: may hold ${JOB_NAME_RULE}`);
}
