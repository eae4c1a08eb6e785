/** The section *Dead letters*. */
import { z } from 'zod';
import { Feed } from '../live/feed.ts';
import type { Section } from '../section.ts';
import { askedFields, toAsked } from './asked.ts';
import { CHANGES_PATH, changePage, changePart } from './change-page.ts';
import type { ChangeRun } from './change-run.ts';
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
      site.change(`${LETTERS_PATH}/plan`, askedFields, async ({ fields, reason, visitor }) =>
        changePath(await desk.plan(toAsked(fields), { by: `${visitor.name}@console`, reason })),
      );
      site.view(`${CHANGES_PATH}/:id`, ({ params }, visitor) => changePage(changeOf(params), visitor));
      site.live(`/live${CHANGES_PATH}/:id`, ({ params }) => {
        const run = changeOf(params);
        // Its page has another form then.
        const moved = (): boolean => run.state === 'planned' || run.isOver;
        const look = async () => ({
          html: String(changePart(run)),
          ...(moved() && { event: { name: 'reload', data: '' } }),
        });
        return new Feed({ look, everyMs: LIVE_MS, sleep });
      });
      const answer = z.object({ phrase: z.string().optional() });
      site.change(`${CHANGES_PATH}/:id/confirm`, answer, async ({ fields, request }) => {
        const run = changeOf(request.params);
        await desk.confirm(run.facts.id, fields.phrase);
        return changePath(run);
      });
      site.change(`${CHANGES_PATH}/:id/drop`, z.object({}), async ({ request }) => {
        desk.drop(changeOf(request.params).facts.id);
        return LETTERS_PATH;
      });
      site.change(`${CHANGES_PATH}/:id/stop`, z.object({}), async ({ request }) => {
        const run = changeOf(request.params);
        desk.stop(run.facts.id);
        return changePath(run);
      });
    },
  };
}

function idIn(params: unknown, name: string): string {
  const value = (params as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
}
