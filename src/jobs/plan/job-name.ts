/** Valid names for new jobs. Ledgers and plans of earlier releases may hold others (`jobIdSchema`), which stay usable. PURE. */
import { misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';
import { jobIdSchema } from './format.ts';

/**
 * Browsers resolve a path that ends in one or two dots to another path, so such a job would have no page. Commands read a name that
 * begins with a hyphen as a flag, and a lone hyphen as their input.
 */
export const jobNameSchema = jobIdSchema
  .regex(/[^.]|\.{3}/, 'may not be one dot or two')
  .regex(/^(?!-)/, 'may not begin with a hyphen');

export const JOB_NAME_RULE =
  '1 to 128 letters, digits and _ . : -, not beginning with -, and not . or .. alone';

export function isJobName(text: string): boolean {
  return jobNameSchema.safeParse(text).success;
}

/** @throws CommandError if the value of --job is not a valid job name. */
export function readJobName(text: string): string {
  if (isJobName(text)) return text;
  throw misuse(`--job ${shortPrintable(text)}: may hold ${JOB_NAME_RULE}`);
}
