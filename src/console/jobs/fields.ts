/** What forms and the API say of a job's settings, read as flags are. PURE. */
import { z } from 'zod';
import { type GivenSettings, unsettableNames } from '../../jobs/rules/given.ts';
import { decimalField, wholeField } from '../pages/number-fields.ts';

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
