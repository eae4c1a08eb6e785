/**
 * Carries out a plan for dead letters that a person has approved: only for the letters of the plan, not for later
 * ones.
 */
import type { OpenAudit } from '../../dead-letters/changes/audit.ts';
import type { CanaryBounds } from '../../dead-letters/changes/canary.ts';
import { type PurgeReport, purge } from '../../dead-letters/changes/purge.ts';
import { type RedriveOptions, type RedriveReport, redrive } from '../../dead-letters/changes/redrive.ts';
import { carryOutLogged } from '../../dead-letters/desk/carry-out.ts';
import { endUnloggedText, errorText } from '../../dead-letters/desk/explain.ts';
import type { Letters } from '../../dead-letters/desk/open.ts';
import type { Filter } from '../../dead-letters/letters/conditions.ts';
import { LEASE_SECONDS } from '../../dead-letters/pass/held.ts';
import type { PassSurroundings } from '../../dead-letters/pass/pass.ts';
import { purgeResult, redriveResult } from '../../dead-letters/view/changes.ts';
import { printableUrl } from '../../text/urls.ts';
import type { Asked } from './asked.ts';
import type { ChangeRun } from './change-run.ts';
import { forgetUnfinished, keepUnfinished } from './unfinished.ts';

interface Bounds {
  /** For the canaries, and for all letters that were put back. */
  readonly canaryBounds: CanaryBounds;
  readonly endBounds: CanaryBounds;
}

export interface CarryOutOptions extends Bounds {
  readonly letters: Letters;
  /** Absolute path. */
  readonly stateDir: string;
  readonly openLog: OpenAudit;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

type LettersAudit = Parameters<typeof redrive>[1]['audit'];

/** Added to the lease of a pass, in milliseconds. */
const MARGIN_MS = 5_000;

/**
 * Moves or deletes the letters of a plan, and follows letters that were put back to their ends.
 * @param closed aborts when this process ends: the next process continues a redrive.
 */
export async function carryOut(run: ChangeRun, options: CarryOutOptions, closed: AbortSignal): Promise<void> {
  const { facts, chosen, confirmed = facts } = run;
  const goesOn = facts.asked.action === 'redrive';
  try {
    if (goesOn) await keepUnfinished(options.stateDir, { facts, confirmed, chosen, letGo: false });
    await moveLogged(run, options, closed);
  } finally {
    // If that cannot be written, the next process waits in vain.
    if (goesOn && closed.aborted && hasLetGo(run))
      await keepUnfinished(options.stateDir, { facts, confirmed, chosen, letGo: true }).catch(() => {});
    // A change interrupted by the end of this process is not finished. A change that failed or was stopped has ended.
    if (goesOn && (!closed.aborted || run.stopped !== undefined))
      run.notes.push(...(await forgetUnfinished(options.stateDir)));
  }
  run.become('ended');
}

async function moveLogged(run: ChangeRun, options: CarryOutOptions, closed: AbortSignal): Promise<void> {
  const { letters, openLog } = options;
  const { facts, chosen, confirmed = facts } = run;
  const { asked } = facts;
  const what = {
    queueUrl: printableUrl(letters.config.queueUrl),
    deadLetterQueueUrl: printableUrl(letters.config.deadLetterQueueUrl),
    ...asked,
    agreed: chosen.size,
    plannedBy: facts.by,
    planReason: facts.reason,
  };
  const agreed: Filter = ({ message }) => {
    run.saw(message.messageId);
    return chosen.has(message.messageId);
  };
  const surroundings = surroundingsOf(run, letters, closed);
  const common = { run: facts.id, ...confirmed, asked: what } as const;
  const { report, endUnlogged } =
    asked.action === 'redrive'
      ? await carryOutLogged<RedriveReport>(
          {
            ...common,
            action: 'redrive',
            carryOut: (audit) => redriveAgreed(run, agreed, audit, options, surroundings),
            resultOf: (found) => redriveResult(found, errorText(found.error, letters.config)),
          },
          openLog,
        )
      : await carryOutLogged<PurgeReport>(
          {
            ...common,
            action: 'purge',
            carryOut: (audit) =>
              purge(
                { matches: agreed, limit: chosen.size, dryRun: false },
                {
                  dead: letters.dead,
                  surroundings,
                  audit,
                  onProgress: (purged) => {
                    run.sentNow = purged;
                  },
                },
              ),
            resultOf: (found) => purgeResult(found),
          },
          openLog,
        );
  run.report = report;
  if (endUnlogged !== undefined) run.notes.push(endUnloggedText(endUnlogged));
  run.fault = errorText(report.error, letters.config);
}

/** For a change that ends when somebody stops it, or when `closed` aborts. */
export function surroundingsOf(run: ChangeRun, letters: Letters, closed: AbortSignal): PassSurroundings {
  const signal = AbortSignal.any([closed, run.stopSignal]);
  return { ...letters.surroundings(signal), watch: run.requests.watch };
}

/** The request in the form that `redrive` and its plan take. */
export function redriveOptions(
  { limit, rate, canary, force }: Asked,
  matches: Filter,
  bounds: Bounds,
): RedriveOptions {
  return {
    matches,
    set: {},
    limit: limit ?? Number.POSITIVE_INFINITY,
    ratePerSecond: rate ?? Number.POSITIVE_INFINITY,
    canary,
    canaryBounds: bounds.canaryBounds,
    endBounds: bounds.endBounds,
    force,
  };
}

/** The report also covers letters put back before a restart. */
async function redriveAgreed(
  run: ChangeRun,
  agreed: Filter,
  audit: LettersAudit,
  options: CarryOutOptions,
  surroundings: PassSurroundings,
): Promise<RedriveReport> {
  if (run.mayBeHeld) await waitForHeld(run, options, surroundings.signal);
  const { redriveTo, dead } = options.letters;
  const report = await redrive(
    { ...redriveOptions(run.facts.asked, agreed, options), limit: run.chosen.size },
    {
      source: await redriveTo(),
      dead,
      surroundings,
      audit,
      onProgress: (sent) => {
        run.sentNow = sent;
        if (run.state === 'canaries') run.become('moving');
      },
      onCanary: () => run.become('canaries'),
      onMoved: () => run.become('ending'),
    },
  );
  const { sentBefore } = run;
  return { ...report, matched: report.matched + sentBefore, redriven: report.redriven + sentBefore };
}

/** The letters of a pass that was killed stay invisible until its lease is over. */
async function waitForHeld(run: ChangeRun, options: CarryOutOptions, signal: AbortSignal): Promise<void> {
  run.become('waiting');
  const leaseEnds = run.begunAt + LEASE_SECONDS * 1_000 + MARGIN_MS;
  await options.sleep(Math.max(0, leaseEnds - options.now()), signal);
  if (signal.aborted) return;
  run.mayBeHeld = false;
  run.become('moving');
}

/** Whether neither this process nor the one before still holds letters. */
function hasLetGo({ mayBeHeld, report }: ChangeRun): boolean {
  return !mayBeHeld && report?.error === undefined && report?.pass?.notReleased === 0;
}
