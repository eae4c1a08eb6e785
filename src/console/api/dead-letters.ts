/** The API of dead letters: what their pages show and do. */
import { z } from 'zod';
import { letterRecord } from '../../dead-letters/view/export.ts';
import { letterJson } from '../../dead-letters/view/list.ts';
import type { Visitor } from '../access/visitor.ts';
import { toAsked } from '../dead-letters/asked.ts';
import type { Deed } from '../dead-letters/change-run.ts';
import type { Desk } from '../dead-letters/desk.ts';
import { PageError } from '../pages/page-error.ts';
import { deedOf } from './asked.ts';
import { digits, onlyFields } from './asked-shapes.ts';
import { reason, reasonBody } from './job-shapes.ts';
import { change, changeJson, letter, look, lookJson, wanted, wholeLetter } from './letter-shapes.ts';
import { type ApiRoute, route } from './route.ts';

const MOST_LETTERS = 1_000;

/** @param given the desk, or why there is none. */
export function letterRoutes(given: Desk | string): readonly ApiRoute[] {
  const desk = (): Desk => {
    if (typeof given !== 'string') return given;
    throw new PageError(`Dead letters cannot be looked at: ${given}`, 503);
  };
  return [
    route({
      method: 'get',
      path: '/dead-letters',
      id: 'listCauses',
      summary: 'Dead letters by cause, as of the last look; an old look is repeated',
      query: onlyFields({
        again: z.enum(['true', 'false']).default('false').meta({
          description:
            'Looks again, at most once in 5 s. A viewer may ask for this, as a look leaves each letter in place. A later answer has the new look.',
        }),
      }),
      answer: look,
      serve: async ({ query }) => {
        const own = desk();
        own.lookIfOld(query.again === 'true');
        return lookJson(own);
      },
    }),
    route({
      method: 'get',
      path: '/dead-letters/groups/{group}',
      id: 'listLetters',
      summary: 'Letters of one cause, page by page',
      query: onlyFields({
        skip: digits(0, 1_000_000).default(0),
        max: digits(1, MOST_LETTERS).default(100),
      }),
      answer: z.object({ letters: z.array(letter), next: z.number().nullable() }),
      serve: async ({ subject, query: { skip, max } }) => {
        const { letters } = desk().group(subject);
        const next = skip + max;
        return {
          letters: letters.slice(skip, next).map(letterJson),
          next: next < letters.length ? next : null,
        };
      },
    }),
    route({
      method: 'get',
      path: '/dead-letters/letters/{letter}',
      id: 'showLetter',
      summary: 'A letter with its body and record',
      answer: wholeLetter,
      serve: async ({ subject }) => letterRecord(desk().letter(subject)),
    }),
    route({
      method: 'get',
      path: '/dead-letters/changes',
      id: 'listLetterChanges',
      summary: 'What was done from this console, newest first',
      answer: z.object({ changes: z.array(change) }),
      serve: async () => ({ changes: desk().changes.map(changeJson) }),
    }),
    route({
      method: 'post',
      path: '/dead-letters/changes',
      id: 'planLetterChange',
      summary: 'Starts to plan a redrive or a purge',
      body: wanted,
      answer: change,
      serve: async ({ body, visitor }) => {
        const { letters = [], force, reason: why, ...rest } = body;
        const asked = toAsked({ ...rest, id: letters, force: force ? 'yes' : undefined });
        return changeJson(await desk().plan(asked, letterDeed(visitor, why)));
      },
    }),
    route({
      method: 'get',
      path: '/dead-letters/changes/{change}',
      id: 'showLetterChange',
      summary: 'A change: its plan, its progress, how it ended',
      answer: change,
      serve: async ({ subject }) => changeJson(desk().change(subject)),
    }),
    route({
      method: 'post',
      path: '/dead-letters/changes/{change}/confirm',
      id: 'confirmLetterChange',
      summary: 'Carries out a plan',
      body: onlyFields({
        reason,
        phrase: z
          .string()
          .max(100)
          .meta({ description: 'For a purge: `purge`, a space and the number of letters.' })
          .optional(),
      }),
      answer: change,
      serve: async ({ subject, body, visitor }) => {
        await desk().confirm(subject, letterDeed(visitor, body.reason), body.phrase);
        return changeJson(desk().change(subject));
      },
    }),
    ...(['drop', 'stop'] as const).map((what) =>
      route({
        method: 'post',
        path: `/dead-letters/changes/{change}/${what}`,
        id: `${what}LetterChange`,
        summary: what === 'drop' ? 'Drops a plan' : 'Stops a change as soon as possible',
        body: reasonBody,
        answer: change,
        serve: async ({ subject, body, visitor }) => {
          await desk()[what](subject, letterDeed(visitor, body.reason));
          return changeJson(desk().change(subject));
        },
      }),
    ),
  ];
}

function letterDeed(visitor: Visitor, why: string): Deed {
  return { by: deedOf({ visitor }, why).who, reason: why };
}
