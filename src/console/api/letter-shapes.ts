/** Requests and answers of the dead-letters API: the schemas that its routes check and its document shows. */
import { z } from 'zod';
import type { PurgeReport } from '../../dead-letters/changes/purge.ts';
import type { RedriveReport } from '../../dead-letters/changes/redrive.ts';
import type { Away } from '../../dead-letters/pass/open-requests.ts';
import { purgeJson, redriveJson } from '../../dead-letters/view/changes.ts';
import { groupJson, passJson } from '../../dead-letters/view/list.ts';
import { refuseForPurge } from '../dead-letters/asked.ts';
import type { ChangeRun } from '../dead-letters/change-run.ts';
import { changeStates } from '../dead-letters/change-run.ts';
import type { Desk } from '../dead-letters/desk.ts';
import { awayOf } from '../dead-letters/doing.ts';
import { notDone } from '../dead-letters/not-done.ts';
import { onlyFields, positive, whole } from './asked-shapes.ts';
import { reason } from './job-shapes.ts';
import { subjects } from './route.ts';

/** Maximum number of letters that may be named individually. */
const MOST_NAMED = 500;

const group = z.looseObject({
  group: z.string(),
  reason: z.string(),
  error: z.string(),
  status: z.number().nullable(),
  count: z.number(),
  first: z.string(),
  last: z.string(),
});
export const letter = z
  .looseObject({
    messageId: z.string(),
    group: z.string(),
    reason: z.string(),
    error: z.string(),
    arrivedAt: z.string(),
    identifier: z.string().nullable(),
    redriveCount: z.number(),
  })
  .meta({ description: 'A line of `dead-letters list --json`.' });
export const wholeLetter = z
  .looseObject({ MessageId: z.string(), Reason: z.string(), Group: z.string(), Body: z.string() })
  .meta({ description: 'What `dead-letters show --json` prints.' });

const away = z
  .object({ since: z.string(), why: z.string().nullable() })
  .nullable()
  .meta({ description: 'Since when SQS does not answer, and why, if that is known; null while it answers.' });

export const look = z.object({
  doing: z.object({
    what: z.enum(['nothing', 'looking', 'changing']),
    seen: z.number().nullable(),
    change: z.string().nullable(),
    away,
  }),
  fault: z
    .object({ at: z.string(), since: z.string(), why: z.string() })
    .nullable()
    .meta({ description: 'Why the last look failed, when, and since when every look has failed.' }),
  look: z
    .object({
      at: z.string(),
      groups: z.array(group),
      others: z.number().meta({ description: 'Letters of further causes.' }),
      kept: z.number().meta({ description: 'Letters that can be listed and shown.' }),
      pass: z.looseObject({ seen: z.number(), about: z.number().nullable(), end: z.string() }),
    })
    .nullable()
    .meta({ description: 'The last complete look; null if there is none yet: ask again.' }),
});

export const wanted = onlyFields({
  reason,
  action: z.enum(['redrive', 'purge']),
  group: subjects.group,
  letters: z
    .array(z.string().min(8).max(128))
    .min(1)
    .max(MOST_NAMED)
    .meta({ description: 'Message ids. Left out: all letters of the cause.' })
    .optional(),
  limit: whole.meta({ description: 'Maximum number of letters.' }).optional(),
  rate: positive.meta({ description: 'For a redrive: maximum letters per second.' }).optional(),
  canary: whole
    .meta({
      description: 'For a redrive: letters put back first; the others only if none of these comes back.',
    })
    .optional(),
  force: z
    .boolean()
    .meta({
      description: 'For a redrive: also letters put back too often, rejected again, foreign or invalid.',
    })
    .default(false),
})
  .check(refuseForPurge)
  .meta({
    description:
      'As the flags of `dead-letters redrive` and `dead-letters purge` say it: a purge with a field of a redrive is refused.',
  });

const deed = z.object({ by: z.string(), reason: z.string() });
const report = z
  .looseObject({ dryRun: z.boolean(), matched: z.number() })
  .nullable()
  .meta({ description: 'What `dead-letters redrive --json` and `dead-letters purge --json` print.' });
export const change = z.object({
  change: z.string(),
  action: z.enum(['redrive', 'purge']),
  where: z.array(z.string()),
  limit: z.number().nullable(),
  rate: z.number().nullable(),
  canary: z.number().nullable(),
  force: z.boolean(),
  by: z.string(),
  reason: z.string(),
  confirmed: deed.nullable().meta({ description: 'Who confirmed the plan, and why.' }),
  stopped: deed.nullable().meta({ description: 'Who stopped it, or dropped its plan, and why.' }),
  begunAt: z.string(),
  state: z.enum(changeStates),
  stateSince: z.string(),
  letters: z.number().meta({ description: 'The letters of the plan; no others are changed.' }),
  sent: z.number().meta({ description: 'Letters put back or deleted so far, also before a restart.' }),
  sentBefore: z.number().meta({
    description:
      'How many of these were put back before a restart, according to the log of changes; `report.groups` and `report.values` do not include them, and how they ended is not known.',
  }),
  notDone: z.string().nullable().meta({
    description: 'How many of `letters` were not put back or deleted at its end, and why; null if none.',
  }),
  fault: z.string().nullable().meta({ description: 'Why it could not be planned, or ended early.' }),
  away,
  notes: z.array(z.string()).meta({
    description:
      'What else went wrong without changing what was done: for example, its end could not be logged.',
  }),
  plan: report,
  report,
});

export function changeJson(run: ChangeRun): z.input<typeof change> {
  const {
    facts,
    plan,
    state,
    stateSince,
    begunAt,
    chosen,
    sent,
    sentBefore,
    fault,
    notes,
    report: done,
  } = run;
  const { id, asked, by, reason: why } = facts;
  const { confirmed = null, stopped = null } = run;
  return {
    change: id,
    action: asked.action,
    where: [...asked.where],
    limit: asked.limit ?? null,
    rate: asked.rate ?? null,
    canary: asked.canary ?? null,
    force: asked.force,
    by,
    reason: why,
    confirmed,
    stopped,
    begunAt: new Date(begunAt).toISOString(),
    state,
    stateSince: new Date(stateSince).toISOString(),
    letters: chosen.size,
    sent,
    sentBefore,
    notDone: notDone(run) ?? null,
    fault: fault ?? null,
    away: awayJson(run.away),
    notes: [...notes],
    plan: reportJson(plan),
    report: reportJson(done),
  };
}

function reportJson(done: RedriveReport | PurgeReport | undefined): z.input<typeof report> {
  if (done === undefined) return null;
  return report.parse('redriven' in done ? redriveJson(done) : purgeJson(done));
}

function awayJson(found: Away | undefined): z.input<typeof away> {
  if (found === undefined) return null;
  return { since: new Date(found.since).toISOString(), why: found.why ?? null };
}

export function lookJson({ doing, look: last, lookFault }: Desk): z.input<typeof look> {
  return {
    doing: {
      what: doing.what,
      seen: doing.what === 'looking' ? doing.seen : null,
      change: doing.what === 'changing' ? doing.change.facts.id : null,
      away: awayJson(awayOf(doing)),
    },
    fault:
      lookFault === undefined
        ? null
        : {
            at: new Date(lookFault.at).toISOString(),
            since: new Date(lookFault.since).toISOString(),
            why: lookFault.why,
          },
    look:
      last === undefined
        ? null
        : look.shape.look.unwrap().parse({
            at: new Date(last.at).toISOString(),
            groups: last.groups.all().map(groupJson),
            others: last.groups.others,
            kept: last.letters.size,
            pass: passJson(last.pass),
          }),
  };
}
