/** Requests and answers of the jobs API: the schemas that its routes check and its document shows. */
import { z } from 'zod';
import { unsettableNames } from '../../jobs/rules/given.ts';
import { verificationJson } from '../../jobs/verify/view.ts';
import { isReason, REASON_NEEDED } from '../../text/reason.ts';
import type { ApiAway } from '../jobs/api-away.ts';
import type { LooksSeen } from '../jobs/job-page.ts';
import type { LookSeen } from '../jobs/looks.ts';
import { named, onlyFields, positive, whole } from './asked-shapes.ts';

export const reason = z
  .string(REASON_NEEDED)
  .trim()
  .min(1, { error: REASON_NEEDED, abort: true })
  .max(500, { error: REASON_NEEDED, abort: true })
  .refine(isReason, REASON_NEEDED)
  .meta({ description: 'For the log of changes.' });
export const reasonBody = onlyFields({ reason });
export const settings = onlyFields({
  canary: z.string(),
  stages: z.string(),
  ramp: z.string(),
  soak: z.string(),
  verifyWithin: z.string(),
  abortWhen: z.array(z.string()),
  window: whole,
  rate: positive,
  priority: z.number().int().min(1).max(9),
  startAt: z.string(),
  between: z.string(),
  tz: z.string(),
  deadline: z.string(),
  confirmEach: z.boolean(),
  verifyEach: z.boolean(),
  undoOnAbort: z.boolean(),
})
  .partial()
  .meta({ description: 'As the flags of `jobs apply` say it.' });

export const unset = z
  .array(
    z.enum(unsettableNames, {
      error: ({ input }) => `there is no setting ${named(String(input), unsettableNames)}`,
    }),
  )
  .default([])
  .meta({ description: 'Settings to remove.' });

export const standing = z
  .looseObject({
    job: z.string(),
    rows: z.number(),
    ended: z.number(),
    applied: z.number(),
    superseded: z.number(),
    failed: z.number(),
    inFlight: z.number(),
    notSent: z.number(),
    sending: z.boolean(),
    state: z.looseObject({ name: z.string(), who: z.string(), why: z.string().nullable() }).nullable(),
  })
  .meta({ description: 'What `jobs status --json` prints.' });
export const listed = z.object({
  job: z.string(),
  state: z.string().nullable(),
  rows: z.number(),
  ended: z.number(),
  failed: z.number(),
  updatedAt: z.string(),
});
export const row = z.looseObject({ Row: z.number(), Identifier: z.string().optional() });
export const line = z.object({
  at: z.string(),
  who: z.string(),
  what: z.string(),
  subject: z.string(),
  why: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});
const apiAway = z
  .object({ since: z.string(), why: z.string() })
  .nullable()
  .meta({ description: 'Present while the IoT API does not answer; it is asked again.' });
export const planning = z.object({
  job: z.string(),
  state: z.enum(['making', 'made', 'failed', 'entering']),
  source: z.string(),
  by: z.string(),
  note: z.string().nullable(),
  noteSince: z.string().nullable().meta({
    description: 'Since when the note is the same: if that is long ago, the plan makes no progress.',
  }),
  away: apiAway,
  counts: z
    .object({
      toChange: z.number(),
      alreadyAsWanted: z.number(),
      refused: z.number(),
      duplicates: z.number(),
    })
    .nullable(),
  configurations: z
    .array(
      z.object({
        from: z.string().nullable(),
        to: z.string(),
        rows: z.number(),
        settings: z
          .array(z.looseObject({ setting: z.string() }))
          .nullable()
          .meta({ description: 'What changes; null where it is not known.' }),
        leftOut: z.boolean().meta({
          description:
            'Not compared, since a plan compares the pairs with most rows only: `configs diff` compares any two.',
        }),
      }),
    )
    .nullable(),
});
export const done = z.object({ job: z.string() });

/** The progress and the result of a look at a job's tasks. @param found the result of a completed look. */
function looked<Found extends z.ZodType>(found: Found, description: string) {
  return z
    .object({
      job: z.string(),
      state: z.enum(['none', 'looking', 'seen', 'failed', 'cut-off']),
      /** Read so far, and the total. */
      tasks: z.number().nullable(),
      of: z.number().nullable(),
      away: apiAway,
      why: z.string().nullable(),
      found: found.nullable(),
    })
    .meta({ description });
}

export const devices = looked(
  z
    .looseObject({ job: z.string(), at: z.string() })
    .meta({ description: 'What `jobs verify --json` prints.' }),
  'According to the log of the job. `none`: nobody has looked from a console. `cut-off`: a look was started, and how it ended is not known.',
);
export const reconciliation = looked(
  z
    .object({ applied: z.number(), again: z.number(), gone: z.number(), unknown: z.number() })
    .meta({ description: 'Rows: applied according to the task, sent again, without a task, not read.' }),
  'According to the log of the job. `none`: nobody has reconciled it from a console. `cut-off`: it was started, and how it ended is not known.',
);

/** For programs. */
export function awayJson(away: ApiAway | undefined): z.input<typeof apiAway> {
  return away === undefined ? null : { since: new Date(away.since).toISOString(), why: away.why };
}

/** @param seen undefined: there was no look. */
function lookedJson<Found, Json>(
  job: string,
  seen: LookSeen<Found> | undefined,
  jsonOf: (found: Found) => Json,
) {
  const nothing = { job, state: 'none' as const, tasks: null, of: null, away: null, why: null, found: null };
  if (seen?.state === 'seen') return { ...nothing, state: seen.state, found: jsonOf(seen.found) };
  if (seen?.state === 'cut-off') return { ...nothing, state: seen.state };
  if (seen?.state !== 'looking') return { ...nothing, ...seen };
  return { ...nothing, ...seen, away: awayJson(seen.away) };
}

export function devicesJson(job: string, seen: LooksSeen['verification']): z.input<typeof devices> {
  return lookedJson(job, seen, (found) => JSON.parse(verificationJson(job, found)));
}

export function reconciliationJson(
  job: string,
  seen: LooksSeen['reconciliation'],
): z.input<typeof reconciliation> {
  return lookedJson(job, seen, (found) => found);
}
