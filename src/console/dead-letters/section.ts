/** The section *Dead letters*. */
import { z } from 'zod';
import { Feed } from '../live/feed.ts';
import { PageError } from '../pages/page-error.ts';
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

/** A look that is older is made again when somebody comes, in milliseconds; and one that is asked for, unless it is as new. */
const OLD_MS = 300_000;
const NEW_MS = 5_000;
const LIVE_MS = 1_000;

export function lettersSection({ desk, now, sleep }: LettersSectionOptions): Section {
  const changeOf = (id: string): ChangeRun => {
    const run = desk.change(id);
    if (run === undefined)
      throw new PageError('This change is not known any more. The log of changes has what was done.', 404);
    return run;
  };
  return {
    nav: { path: LETTERS_PATH, name: 'Dead letters' },
    add: (site) => {
      site.view(LETTERS_PATH, ({ query }) => {
        const oldest = now() - ('again' in (query as object) ? NEW_MS : OLD_MS);
        if ((desk.look?.at ?? 0) < oldest) desk.lookAgain();
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
        const made = desk.look && groupPage(desk.look, idIn(params, 'group'), page, visitor);
        if (made !== undefined) return made;
        throw new PageError(
          'The last look has seen no letter of this cause. Look again at the dead letters.',
          404,
        );
      });
      site.view(`${LETTERS_PATH}/letters/:id`, ({ params }) => {
        const letter = desk.look?.letters.get(idIn(params, 'id'));
        if (letter !== undefined) return letterPage(letter);
        throw new PageError(
          'This letter is not among those that the last look has kept. Look again, or use `dead-letters show` of the command line.',
          404,
        );
      });
      site.change(`${LETTERS_PATH}/plan`, askedFields, async ({ fields, reason, visitor }) =>
        changePath(await desk.plan(toAsked(fields), { by: `${visitor.name}@console`, reason })),
      );
      site.view(`${CHANGES_PATH}/:id`, ({ params }, visitor) =>
        changePage(changeOf(idIn(params, 'id')), visitor),
      );
      site.live(`/live${CHANGES_PATH}/:id`, ({ params }) => {
        const run = changeOf(idIn(params, 'id'));
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
        const run = changeOf(idIn(request.params, 'id'));
        const phrase = `${run.facts.asked.action} ${run.chosen.size}`;
        if (run.facts.asked.action === 'purge' && fields.phrase?.trim() !== phrase)
          throw new PageError(`Nothing was deleted: type "${phrase}", exactly.`);
        await desk.confirm(run.facts.id);
        return changePath(run);
      });
      site.change(`${CHANGES_PATH}/:id/drop`, z.object({}), async ({ request }) => {
        desk.drop(changeOf(idIn(request.params, 'id')).facts.id);
        return LETTERS_PATH;
      });
      site.change(`${CHANGES_PATH}/:id/stop`, z.object({}), async ({ request }) => {
        const run = changeOf(idIn(request.params, 'id'));
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
