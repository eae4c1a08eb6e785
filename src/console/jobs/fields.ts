/** What forms and the API say of a job's settings, read as flags are. PURE. */
import { z } from 'zod';
import { CommandError } from '../../errors.ts';
import { type GivenSettings, readGuards, unsettableNames } from '../../jobs/rules/given.ts';
import type { JobSettings } from '../../jobs/rules/settings.ts';
import { decimalField, wholeField } from '../pages/number-fields.ts';
import { PageError } from '../pages/page-error.ts';
import { settingLabels } from '../pages/setting-names.ts';

const MOST_TEXT = 1_000;

/** A field of a form that is left empty says nothing. */
const text = z
  .string()
  .trim()
  .max(MOST_TEXT)
  .transform((value) => (value === '' ? undefined : value))
  .optional();

const count = text.pipe(wholeField.optional());

const tick = z.literal('yes').optional();

/** What the forms of jobs call their fields. */
export const formLabels = {
  ...settingLabels,
  jobId: settingLabels.job,
  setConfiguration: 'Set this TaskConfigurationId on every row',
  setDescription: 'Set this Description on every row',
  whereStatus: 'Only tasks with this status',
  whereConfiguration: 'Only tasks with this configuration',
  unset: 'Take back',
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

/** As flags would say it. */
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
 * Settings as they were given.
 * @param now epoch milliseconds: durations begin here. @throws PageError for what is not what it must be, whatever the job is like.
 */
export function settingsOf(given: GivenSettings, now: number): JobSettings {
  try {
    return readGuards(given, now);
  } catch (error) {
    throw error instanceof CommandError ? new PageError(error.message) : error;
  }
}
