/** The changes of dead letters that this console remembers, by id. */
import { PageError } from '../pages/page-error.ts';
import type { ChangeRun } from './change-run.ts';

/** Number of changes remembered; the log has all. */
const MOST_CHANGES = 50;

export class ChangeBook {
  readonly #changes = new Map<string, ChangeRun>();

  /** Latest first. */
  all(): readonly ChangeRun[] {
    return [...this.#changes.values()].reverse();
  }

  /** @throws PageError for an unknown change. */
  get(id: string): ChangeRun {
    const run = this.#changes.get(id);
    if (run !== undefined) return run;
    throw new PageError(
      'This console no longer knows this change. The log of changes says what was done.',
      404,
    );
  }

  /** @throws PageError for a change that is not a plan yet, or no longer. */
  planned(id: string): ChangeRun {
    const run = this.get(id);
    if (run.state === 'planned') return run;
    if (run.state === 'planning')
      throw new PageError('This change is still being planned. Wait for its plan, or stop it.', 409);
    throw new PageError(`This is no longer a plan: the change is ${run.state}.`, 409);
  }

  /** @throws PageError if there is nothing to stop. */
  underWay(id: string): ChangeRun {
    const run = this.get(id);
    if (run.isUnderWay) return run;
    throw new PageError(`There is nothing to stop: the change is ${run.state}.`, 409);
  }

  add(run: ChangeRun): void {
    this.#changes.set(run.facts.id, run);
    for (const [id, { isOver }] of this.#changes)
      if (this.#changes.size > MOST_CHANGES && isOver) this.#changes.delete(id);
  }
}
