/** The sources of the pages *Task* and *Log of changes* and of their API routes. Sources that are away are reported at once. */

import type { CommandContext } from '../../cli/context.ts';
import { type LoggedChange, readChanges } from '../../dead-letters/desk/log.ts';
import { CommandError } from '../../errors.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { changeText, whyText } from '../../jobs/view/audit.ts';
import { counted } from '../../text/numbers.ts';
import { plainValues } from '../../text/plain-values.ts';
import { instant } from '../../text/times.ts';
import { type Answer, type Asking, askApi, ledgerAnswer, noLedger } from '../../trace/commands/sources.ts';
import { letterFinding } from '../../trace/letters.ts';
import type { SourceReport, Trace } from '../../trace/trace.ts';
import { updatesOf } from '../../trace/updates.ts';
import type { ChangeSources, ShownChange } from '../changes/newest.ts';
import type { Desk } from '../dead-letters/desk.ts';
import { whyLedgerAway } from '../jobs/ledger-door.ts';
import { PageError } from '../pages/page-error.ts';
import { AwayError, Reach, Unanswered } from '../reach.ts';
import type { JobsParts } from './jobs.ts';

interface AskingOptions {
  readonly context: CommandContext;
  /** Absolute path. */
  readonly stateDir: string;
  /** The last look at the dead letters, or why there can be none. */
  readonly letters: Pick<Desk, 'look' | 'lookFault'> | string;
  /** Reads the ledger, if there is one. @throws AwayError, and PageError if it does not answer. */
  readonly readLedger: JobsParts['readLedger'];
}

export function makeAsking({ context, stateDir, letters, readLedger }: AskingOptions) {
  const { clock, sleep } = context;
  const reach = () => new Reach({ whyAway: whyLedgerAway, clock, sleep });
  const api = reach();
  const letterLog = reach();

  /** @param ask is repeated, with another signal, while its source is away. */
  const report = async <A extends Answer>(
    at: Reach,
    source: SourceReport['source'],
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<A>,
  ): Promise<A | Answer> => {
    const once = async (until: AbortSignal): Promise<A> => {
      const answer = await ask(until);
      if (answer.away) throw new Unanswered(answer.report.what);
      return answer;
    };
    try {
      return await at.use(() => once(signal), once);
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return { report: { source, state: 'failed', what: error.message }, findings: [] };
    }
  };

  /** The reason for being away is a phrase. */
  const awayOr = async (what: string, ask: () => Promise<readonly ShownChange[]>) => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof AwayError) return { away: `${what} ${error.message}` };
      if (error instanceof CommandError || error instanceof PageError)
        return { away: error.message.replace(/\.$/, '') };
      throw error;
    }
  };

  const ledgerReport = async (asking: Asking): Promise<Answer> => {
    try {
      return (
        (await readLedger((ledger) => ledgerAnswer(asking, ledger))) ??
        noLedger(context, stateDir, 'STATE_DIR')
      );
    } catch (error) {
      const isAway =
        error instanceof AwayError || error instanceof PageError || error instanceof CommandError;
      if (!isAway) throw error;
      const what = error.message.replace(/\.$/, '');
      return { report: { source: 'ledger', state: 'failed', what }, findings: [] };
    }
  };

  const changes: ChangeSources = {
    jobs: async (most) =>
      awayOr('the ledger', async () => (await readLedger((ledger) => ledgerChanges(ledger, most))) ?? []),
    'dead letters': (most) =>
      awayOr('their log', () =>
        letterLog.use(
          () => letterChanges(stateDir, most),
          () => letterChanges(stateDir, 1),
        ),
      ),
  };

  /** Uses the letters of the last look: a separate pass would hide them from it. */
  const trace = async (identifier: string, signal: AbortSignal): Promise<Trace> => {
    const asking = (until: AbortSignal): Asking => ({ context, identifier, signal: until });
    const [ofLedger, ofApi] = await Promise.all([
      ledgerReport(asking(signal)),
      report(api, 'task', signal, (until) => askApi(asking(until))),
    ]);
    const last = typeof letters === 'string' ? undefined : letters.look;
    const own = [...(last?.letters.values() ?? [])].filter((letter) => letter.identifier === identifier);
    return {
      identifier,
      task: 'task' in ofApi ? ofApi.task : undefined,
      updates: updatesOf([...ofLedger.findings, ...own.map(letterFinding)]),
      sources: [ofLedger.report, lettersReport(letters, own.length), ofApi.report],
    };
  };

  return {
    trace,
    changes,
    close: (): void => {
      for (const one of [api, letterLog]) one.close();
    },
  };
}

function lettersReport(letters: AskingOptions['letters'], own: number): SourceReport {
  const source = 'dead-letters';
  if (typeof letters === 'string') return { source, state: 'not-asked', what: letters.replace(/\.$/, '') };
  const { look, lookFault } = letters;
  const fault =
    lookFault &&
    `it has not been possible to look at the queue since ${instant(lookFault.since)} UTC: ${lookFault.why}`;
  if (look === undefined)
    return fault === undefined
      ? { source, state: 'not-asked', what: 'this console has not looked at them yet' }
      : { source, state: 'failed', what: fault };
  const what = `${own} of ${look.letters.size} kept by the look at ${new Date(look.at).toISOString()}`;
  if (fault !== undefined) return { source, state: 'in-part', what: `${fault}; ${what}` };
  const isWhole = look.pass.end === 'through' && look.letters.size === look.pass.seen;
  return { source, state: isWhole ? 'read' : 'in-part', what };
}

async function ledgerChanges(ledger: Ledger, most: number): Promise<readonly ShownChange[]> {
  const lines = await ledger.audit(most);
  return lines.map((line) => ({
    at: line.at,
    who: line.who,
    what: `${line.what}: ${line.subject}`,
    why: whyText(line),
    detail: changeText(line),
  }));
}

async function letterChanges(stateDir: string, most: number): Promise<readonly ShownChange[]> {
  const changes = await readChanges(stateDir, most);
  if (typeof changes === 'string') throw new Unanswered(changes);
  return changes.flatMap(letterLines);
}

/** Stopping has a line of its own; for a dropped plan it is the only line. */
function letterLines(change: LoggedChange): readonly ShownChange[] {
  const { at, by, action, reason, what, letters, stops, end } = change;
  const begun: ShownChange = {
    at,
    who: by,
    what: `${action} of dead letters`,
    why: reason,
    detail: [
      `${counted(letters, 'letter')} named`,
      plainValues(what),
      end === undefined ? 'no end is logged' : `ended: ${plainValues(end.result)}`,
    ].join('; '),
  };
  const stopped = stops.map((stop) => ({
    at: stop.at,
    who: stop.by,
    what: `${stop.event} of a ${action} of dead letters`,
    why: stop.reason,
    detail: stop.event === 'drop' ? plainValues(what) : `begun by ${by} at ${instant(at)} UTC`,
  }));
  return stops.some(({ event }) => event === 'drop') ? stopped : [...stopped, begun];
}
