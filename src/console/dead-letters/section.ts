/** The section *Dead letters*. */
import { z } from 'zod';
import { Feed, RELOAD } from '../live/feed.ts';
import type { Change, Section } from '../section.ts';
import { askedFields, askedLabels, toAsked } from './asked.ts';
import { CHANGES_PATH, changePage, changePart } from './change-page.ts';
import type { ChangeRun, Deed } from './change-run.ts';
import type { Desk } from './desk.ts';
import { groupPage } from './group-page.ts';
import { letterPage } from './letter-page.ts';
import { changePath, LETTERS_PATH, LETTERS_STREAM, overviewPage, overviewPart } from './overview-page.ts';

interface LettersSectionOptions {
  readonly desk: Desk;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const LIVE_MS = 1_000;

export function lettersSection({ desk, now, sleep }: LettersSectionOptions): Section {
  const changeOf = (params: unknown): ChangeRun => desk.change(idIn(params, 'id'));
  return {
    nav: { path: LETTERS_PATH, name: 'Dead letters' },
    add: (site) => {
      site.view(LETTERS_PATH, ({ query }) => {
        desk.lookIfOld('again' in (query as object));
        return overviewPage(desk, now());
      });
      const look = async () => ({ html: String(overviewPart(desk, now())) });
      site.live(LETTERS_STREAM, new Feed({ look, everyMs: LIVE_MS, sleep }));
      site.view(`${LETTERS_PATH}/groups/:group`, ({ params, query }, visitor) => {
        const page = z.coerce
          .number()
          .int()
          .min(1)
          .max(1e6)
          .catch(1)
          .parse((query as { page?: unknown }).page);
        return groupPage(desk.group(idIn(params, 'group')), page, visitor);
      });
      site.view(`${LETTERS_PATH}/letters/:id`, ({ params }) => {
        return letterPage(desk.letter(idIn(params, 'id')));
      });
      site.change(
        `${LETTERS_PATH}/plan`,
        askedFields,
        async (change) => changePath(await desk.plan(toAsked(change.fields), deedOf(change))),
        { labels: askedLabels },
      );
      site.view(`${CHANGES_PATH}/:id`, ({ params }, visitor) => changePage(changeOf(params), visitor));
      site.live(`/live${CHANGES_PATH}/:id`, ({ params }) => {
        const run = changeOf(params);
        // Its page then has another form.
        const moved = (): boolean => run.state === 'planned' || run.isOver;
        const look = async () => ({
          html: String(changePart(run)),
          ...(moved() && RELOAD),
        });
        return new Feed({ look, everyMs: LIVE_MS, sleep });
      });
      const answer = z.object({ phrase: z.string().optional() });
      site.change(`${CHANGES_PATH}/:id/confirm`, answer, async (change) => {
        const run = changeOf(change.request.params);
        await desk.confirm(run.facts.id, deedOf(change), change.fields.phrase);
        return changePath(run);
      });
      site.change(`${CHANGES_PATH}/:id/drop`, z.object({}), async (change) => {
        await desk.drop(changeOf(change.request.params).facts.id, deedOf(change));
        return LETTERS_PATH;
      });
      site.change(`${CHANGES_PATH}/:id/stop`, z.object({}), async (change) => {
        const run = changeOf(change.request.params);
        await desk.stop(run.facts.id, deedOf(change));
        return changePath(run);
      });
    },
  };
}

function deedOf({ visitor, reason }: Pick<Change<unknown>, 'visitor' | 'reason'>): Deed {
  return { by: `${visitor.name}@console`, reason };
}

function idIn(params: unknown, name: string): string {
  const value = (params as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
}
