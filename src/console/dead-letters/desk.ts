/**
 * The console's work on dead letters: one thing at a time, since a pass hides the letters it holds from every other pass. It uses
 * what the commands use: passes, plans, changes, and the log of changes.
 */
import { randomUUID } from 'node:crypto';
import { AuditError } from '../../dead-letters/changes/audit.ts';
import { type PurgeReport, purge } from '../../dead-letters/changes/purge.ts';
import { planRedrive, type RedriveReport } from '../../dead-letters/changes/redrive.ts';
import { logLine } from '../../dead-letters/desk/carry-out.ts';
import { explain, unloggedText } from '../../dead-letters/desk/explain.ts';
import { readLettersOf } from '../../dead-letters/desk/log.ts';
import type { Filter } from '../../dead-letters/letters/conditions.ts';
import type { Letter } from '../../dead-letters/letters/letter.ts';
import { OpenRequests } from '../../dead-letters/pass/open-requests.ts';
import { CommandError } from '../../errors.ts';
import { PageError } from '../pages/page-error.ts';
import { type Asked, filterOf } from './asked.ts';
import { type CarryOutOptions, carryOut, redriveOptions, surroundingsOf } from './carry-out.ts';
import { ChangeBook } from './change-book.ts';
import { ChangeRun, type Deed, phraseOf } from './change-run.ts';
import type { Doing } from './doing.ts';
import { groupIn, type Look, type LookedGroup, lookAt } from './look.ts';
import { forgetUnfinished, readUnfinished, type Unfinished } from './unfinished.ts';

export interface DeskOptions extends CarryOutOptions {
  readonly say: (text: string) => void;
  /** Reports an error of the console's own. */
  readonly onError: (error: unknown) => void;
}

/** Why and when the last look failed, and since when; epoch milliseconds. */
interface LookFault {
  readonly why: string;
  readonly at: number;
  readonly since: number;
}

/** Maximum age of a look, in milliseconds; the second value applies when a new look is requested. */
const OLD_MS = 300_000;
const NEW_MS = 5_000;

export class Desk {
  readonly #options: DeskOptions;
  readonly #closed = new AbortController();
  readonly #changes = new ChangeBook();
  #doing: Doing = { what: 'nothing' };
  #restored: (Pick<Unfinished, 'confirmed'> & { readonly run: ChangeRun }) | undefined;
  #work: Promise<void> = Promise.resolve();
  #look: Look | undefined;
  #lookFault: LookFault | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get doing(): Doing {
    return this.#doing;
  }

  /** The last look that was completed. */
  get look(): Look | undefined {
    return this.#look;
  }

  /** undefined if the last attempt to look did not fail. */
  get lookFault(): LookFault | undefined {
    return this.#lookFault;
  }

  /** Latest first. */
  get changes(): readonly ChangeRun[] {
    return this.#changes.all();
  }

  /** @throws PageError for an unknown change. */
  change(id: string): ChangeRun {
    return this.#changes.get(id);
  }

  /** A cause that the last look has seen. @throws PageError if it has not. */
  group(group: string): LookedGroup {
    const found = this.#look && groupIn(this.#look, group);
    if (found !== undefined) return found;
    throw new PageError('The last look saw no letter of this cause. Look again at the dead letters.', 404);
  }

  /** A letter that the last look has kept. @throws PageError if it has not. */
  letter(messageId: string): Letter {
    const letter = this.#look?.letters.get(messageId);
    if (letter !== undefined) return letter;
    throw new PageError(
      'This letter is not among those that the last look kept. Look again, or use `dead-letters show` of the command line.',
      404,
    );
  }

  /** Reads what an earlier process left unfinished: its page exists from then on. */
  async restore(): Promise<void> {
    const { stateDir, now, say } = this.#options;
    const left = await readUnfinished(stateDir);
    if (typeof left === 'string') say(`A redrive may be unfinished, and is not continued: ${left}.`);
    if (left === undefined || typeof left === 'string') return;
    const { facts, chosen, letGo } = left;
    const logged = await readLettersOf(facts.id, stateDir);
    const named = new Set(typeof logged === 'string' ? [] : [...chosen].filter((id) => logged.has(id)));
    const run = new ChangeRun(facts, this.#requests(), now, { letGo, named });
    if (typeof logged === 'string')
      run.notes.push(`How many letters were put back before the restart is not known: ${logged}`);
    run.chosen = chosen;
    run.become('planned');
    this.#changes.add(run);
    this.#restored = { run, confirmed: left.confirmed };
  }

  /** Continues what was read. */
  resume(): void {
    const restored = this.#restored;
    this.#restored = undefined;
    if (restored === undefined) return;
    this.#options.say(`Continuing the redrive that ${restored.confirmed.by} began.`);
    this.#carryOut(restored.run, restored.confirmed);
  }

  /** Looks at the queue if the last look is too old. @param again a new look is requested: only a very recent one will do. */
  lookIfOld(again: boolean): void {
    const oldest = this.#options.now() - (again ? NEW_MS : OLD_MS);
    if ((this.#look?.at ?? 0) < oldest) this.lookAgain();
  }

  /** Looks at the queue, unless something is already being done. Does not wait for the end. */
  lookAgain(): void {
    if (this.#doing.what !== 'nothing' || this.#closed.signal.aborted) return;
    const { letters, now } = this.#options;
    const since = now();
    const requests = this.#requests();
    const looking = (seen: number): void => {
      this.#doing = { what: 'looking', seen, since, requests };
    };
    looking(0);
    this.#work = this.#try(async () => {
      await requests.watch(() => letters.checkQueues());
      const surroundings = { ...letters.surroundings(this.#closed.signal), watch: requests.watch };
      this.#look = await lookAt(letters.dead, surroundings, looking);
      this.#lookFault = undefined;
    }).then((fault) => {
      if (fault !== undefined)
        this.#lookFault = { why: fault, at: now(), since: this.#lookFault?.since ?? now() };
      this.#doing = { what: 'nothing' };
    });
  }

  /** Begins to find out what a change would do. @throws PageError while another change is in progress. */
  async plan(asked: Asked, deed: Deed): Promise<ChangeRun> {
    const matches = filterOf(asked);
    return await this.#whenFree(() => {
      const run = new ChangeRun({ id: randomUUID(), asked, ...deed }, this.#requests(), this.#options.now);
      this.#changes.add(run);
      this.#begin(run, async () => {
        await run.requests.watch(() => this.#options.letters.checkQueues());
        const plan = await this.#makePlan(run, matches);
        if (run.stopped !== undefined) return run.become('dropped');
        run.plan = plan;
        run.chosen = plan.chosen;
        run.become('planned');
      });
      return run;
    });
  }

  /**
   * Carries a plan out.
   * @param phrase what was typed: letters are deleted only if it is the plan's {@link phraseOf}.
   * @throws PageError if that is not possible, any more or yet.
   */
  async confirm(id: string, deed: Deed, phrase = ''): Promise<void> {
    const asked = this.#changes.planned(id);
    if (asked.facts.asked.action === 'purge' && phrase.trim() !== phraseOf(asked))
      throw new PageError(`Nothing was deleted: type "${phraseOf(asked)}", exactly.`);
    await this.#whenFree(() => {
      const run = this.#changes.planned(id);
      if (run.chosen.size === 0)
        throw new PageError('There is nothing to change: no letter would be put back or deleted.');
      this.#carryOut(run, deed);
    });
  }

  /** @throws PageError if it is not a plan. */
  async drop(id: string, deed: Deed): Promise<void> {
    const run = this.#changes.planned(id);
    run.drop(deed);
    await this.#log(run, deed, 'drop');
  }

  /** Ends a change as soon as possible; no later console continues it. @throws PageError if it is not in progress. */
  async stop(id: string, deed: Deed): Promise<void> {
    const run = this.#changes.underWay(id);
    run.stop(deed);
    if (run.confirmed === undefined) return await this.#log(run, deed, 'drop');
    if (run.facts.asked.action === 'redrive')
      run.notes.push(...(await forgetUnfinished(this.#options.stateDir)));
    await this.#log(run, deed, 'stop');
  }

  /** Ends work in progress; the next console continues a redrive. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#work;
    await this.#options.letters.close();
  }

  /** Waits for a look, but not for a change. Calls `begin` synchronously after the check: two callers may have waited. */
  async #whenFree<T>(begin: () => T): Promise<T> {
    while (this.#doing.what === 'looking') await this.#work;
    if (this.#doing.what === 'changing')
      throw new PageError('Another change is under way. Wait for its end, or stop it.', 409);
    if (this.#closed.signal.aborted) throw new PageError('The console is shutting down.', 503);
    return begin();
  }

  /** Logs a stop or drop. It takes effect even if it cannot be logged; the change then says so. */
  async #log(run: ChangeRun, deed: Deed, event: 'stop' | 'drop'): Promise<void> {
    const { id, asked, by, reason } = run.facts;
    const what = { ...asked, plannedBy: by, planReason: reason };
    try {
      await logLine(
        { run: id, action: asked.action, ...deed },
        event === 'stop' ? { event } : { event, what },
        this.#options.openLog,
      );
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      const done = event === 'stop' ? 'stopped' : 'dropped';
      run.notes.push(unloggedText(`That ${deed.by} has ${done} it, because "${deed.reason}",`, error));
    }
  }

  #carryOut(run: ChangeRun, deed: Deed): void {
    // Synchronously: the person who approved sees this next.
    run.confirm(deed);
    this.#begin(run, () => carryOut(run, this.#options, this.#closed.signal));
  }

  #begin(run: ChangeRun, work: () => Promise<void>): void {
    this.#doing = { what: 'changing', change: run };
    this.#work = this.#try(work).then((fault) => {
      if (fault !== undefined) run.fault = fault;
      if (fault !== undefined && !run.isOver) run.become('ended');
      this.#doing = { what: 'nothing' };
    });
  }

  /** @returns why the work failed; undefined if it did not. */
  async #try(work: () => Promise<void>): Promise<string | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (error instanceof CommandError) return error.message.replace(/\.$/, '');
      const why = explain(error, this.#options.letters.config);
      if (why === undefined) this.#options.onError(error);
      return why ?? 'the console has failed, and its log says how';
    }
  }

  async #makePlan(run: ChangeRun, matches: Filter): Promise<RedriveReport | PurgeReport> {
    const { source, dead } = this.#options.letters;
    const surroundings = surroundingsOf(run, this.#options.letters, this.#closed.signal);
    if (run.facts.asked.action === 'redrive')
      return await planRedrive(redriveOptions(run.facts.asked, matches, this.#options), {
        source,
        dead,
        surroundings,
      });
    const limit = run.facts.asked.limit ?? Number.POSITIVE_INFINITY;
    const plan = await purge({ matches, limit, dryRun: true }, { dead, surroundings, audit: async () => {} });
    if (plan.error !== undefined) throw plan.error;
    return plan;
  }

  #requests(): OpenRequests {
    const { letters, now } = this.#options;
    return new OpenRequests(now, (error) => explain(error, letters.config));
  }
}
