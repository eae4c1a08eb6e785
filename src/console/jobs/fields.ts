/** A job's settings from forms and from the API, parsed like flags. PURE. */
import { z } from 'zod';
import { CommandError } from '../../errors.ts';
import { type GivenSettings, readGuards, unsettableNames } from '../../jobs/rules/given.ts';
import type { JobSettings } from '../../jobs/rules/settings.ts';
import { decimalField, wholeField } from '../pages/number-fields.ts';
import { PageError } from '../pages/page-error.ts';
import { settingLabels } from '../pages/setting-names.ts';

const MOST_TEXT = 1_000;

/** An empty form field means that the value is not given. */
const text = z
  .string()
  .trim()
  .max(MOST_TEXT)
  .transform((value) => (value === '' ? undefined : value))
  .optional();

const count = text.pipe(wholeField.optional());

const tick = z.literal('yes').optional();

/** The labels of fields in the job forms. */
export const formLabels = {
  ...settingLabels,
  jobId: settingLabels.job,
  setConfiguration: 'Set this TaskConfigurationId on every row',
  setDescription: 'Set this Description on every row',
  whereStatus: 'Only tasks with this status',
  whereConfiguration: 'Only tasks with this configuration',
  unset: 'Remove these settings',
} as const;

/** The fields of `settingFields`. */
export const settingsForm = z.object({
  canary: text,
  stages: text,
  ramp: text,
  soak: text,
  verifyWithin: text,
  abortWhen: text,
  window: count,
  rate: text.pipe(decimalField.optional()),
  priority: count,
  startAt: text,
  between: text,
  tz: text,
  deadline: text,
  confirmEach: tick,
  verifyEach: tick,
  undoOnAbort: tick,
});

export const setForm = settingsForm.extend({
  unset: z
    .union([z.enum(unsettableNames), z.array(z.enum(unsettableNames))])
    .default([])
    .transform((one) => (Array.isArray(one) ? one : [one])),
});

/** In the form of flags. */
export function givenOf(form: z.infer<typeof settingsForm>): GivenSettings {
  const { abortWhen = '', confirmEach, verifyEach, undoOnAbort, ...rest } = form;
  const texts = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(texts) as Partial<GivenSettings>),
    abortWhen: abortWhen
      .split(';')
      .map((rule) => rule.trim())
      .filter((rule) => rule !== ''),
    ...(confirmEach !== undefined && { confirmEach: true }),
    ...(verifyEach !== undefined && { verifyEach: true }),
    ...(undoOnAbort !== undefined && { undoOnAbort: true }),
  };
}

/**
 * The parsed settings.
 * @param now epoch milliseconds: durations begin here. @throws PageError for values that are invalid for any job.
 */
export function settingsOf(given: GivenSettings, now: number): JobSettings {
  try {
    return readGuards(given, now);
  } catch (error) {
    throw error instanceof CommandError ? new PageError(error.message) : error;
  }
}
