/** What forms and the API say of a job's settings, read as flags are. PURE. */
import { z } from 'zod';
import { type GivenSettings, unsettableNames } from '../../jobs/rules/given.ts';

const MOST_TEXT = 1_000;

/** A field of a form that is left empty says nothing. */
const text = z
  .string()
  .trim()
  .max(MOST_TEXT)
  .transform((value) => (value === '' ? undefined : value))
  .optional();

const count = (what: string) =>
  text.pipe(
    z
      .string()
      .regex(/^[1-9]\d{0,8}$/, `${what}: give a whole number from 1`)
      .transform(Number)
      .optional(),
  );

const tick = z.literal('yes').optional();

/** The fields of `settingFields`. */
export const settingsForm = z.object({
  canary: text,
  stages: text,
  ramp: text,
  soak: text,
  verifyWithin: text,
  abortWhen: text,
  window: count('Window'),
  rate: text.pipe(
    z
      .string()
      .regex(/^\d{1,7}(\.\d{1,3})?$/, 'Rate: give a number above 0')
      .transform(Number)
      .refine((rate) => rate > 0, 'Rate: give a number above 0')
      .optional(),
  ),
  priority: count('Priority'),
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
