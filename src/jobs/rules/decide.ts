/**
 * The one decision about a job that is being sent: how many rows may be sent now, what it waits for, and whether to stop. PURE.
 *
 * A job goes through its stages, the canary first. In each stage, rows are sent up to the stage's end. When all of them have ended,
 * the job waits for its soak time, for a look at the devices, and for a person; then the next stage begins:
 *
 *   ends -> soak -> verify -> word -> ends of the next stage
 *
 * Steps that are not asked for are left out. After the last stage the job waits only for ends; if a rule judges devices, also for
 * soak and verify, so that the effect of the last rows is judged before the job is done.
 */
import { isDeepStrictEqual } from 'node:util';
import { counted, number } from '../../text/numbers.ts';
import type { Counts } from '../ledger/job.ts';
import { brokenText, endsFor, isBroken } from './abort-rules.ts';
import { formatAmount } from './amount.ts';
import { flightLimits } from './flight.ts';
import {
  countFrom,
  devicesJudged,
  endsSince,
  isLookedAt,
  type SeenDevices,
  type StageProgress,
  type WaitsFor,
} from './progress.ts';
import { isOpen, isOver, nextOpening } from './schedule.ts';
import type { JobSettings } from './settings.ts';
import { rowsCounted, stageOf } from './stage.ts';
import { type AwaitedDevices, overdueWhy, passes, verdictOn, verifiedUntil } from './stage-verdict.ts';
import type { Beside } from './window.ts';

export interface Situation {
  readonly settings: JobSettings;
  readonly progress: StageProgress;
  readonly counts: Counts;
  /** Rows of the job, including those not yet in the ledger. */
  readonly total: number;
  /** The devices of its tasks, if they were looked at. */
  readonly devices?: SeenDevices | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Rows of all jobs that end per second. */
  readonly perSecond: number;
  /** The shortest time from sending rows to seeing their ends; undefined: not known. */
  readonly roundTripMs?: number | undefined;
  /** The other jobs that are being sent; default: none. */
  readonly beside?: Beside | undefined;
  /** Since when the job has been in its state `running`; undefined in any other state. */
  readonly runningSince?: number | undefined;
}

export interface Decision {
  /** Rows that may be sent now. */
  readonly room: number;
  /** Whether to take the rows from all over the plan, because rows outside the stage follow. */
  readonly sample: boolean;
  /** Maximum number of rows in flight. */
  readonly window: number;
  /** Rows that could be in flight if the job had all capacity to itself; 0 while it waits. */
  readonly most: number;
  /** The progress to store; the same object if nothing has changed. */
  readonly progress: StageProgress;
  /** Why no rows are sent, other than a full window. */
  readonly waitsFor?: Wait;
  readonly stop?: Stop;
}

export type Wait =
  /** The time to send has not come; `until` in epoch milliseconds. */
  | { readonly for: 'opening'; readonly until: number }
  | { readonly for: 'soak'; readonly until: number }
  /**
   * `since`: only devices that were looked at during this wait count, as `SeenDevices.inWait` tells. `until`: when a person is asked;
   * undefined after the last stage. Both in epoch milliseconds.
   */
  | {
      readonly for: 'verify';
      readonly since: number;
      readonly until?: number;
      readonly awaits?: AwaitedDevices;
    }
  /** Waits for a person. `why` as a sentence without its full stop; undefined: the settings ask for confirmation. */
  | { readonly for: 'word'; readonly why?: string }
  /** All rows up to `upTo`, counted from where counting began, were sent and have not ended. */
  | { readonly for: 'ends'; readonly upTo: number; readonly canary: boolean };

interface Stop {
  /** `aborted`: by a rule. `stopped`: its time is over. */
  readonly towards: 'aborted' | 'stopped';
  /** A sentence without its full stop. */
  readonly why: string;
}

export function decide(situation: Situation): Decision {
  const progress = onward(situation);
  const stage = stageOf(situation, progress);
  const left = stage.end - sentSince(situation, progress);
  const { window, most } = flightLimits(situation, progress, left);
  const stop = stopOf(situation, progress);
  const held = { window, most: 0, progress, room: 0, sample: false };
  if (stop !== undefined) return { ...held, stop };
  const { settings, counts, now } = situation;
  if (counts.planned === 0) {
    const wait = counts.inFlight === 0 ? waitOf(situation, progress) : undefined;
    return wait === undefined ? held : { ...held, waitsFor: wait };
  }
  // Checked before the daily window: a person who must confirm need not be asked at night.
  if (progress.waitsFor === 'word') return { ...held, waitsFor: wordOf(progress) };
  if (!isOpen(settings, now)) {
    const until = nextOpening(settings, now);
    if (until !== undefined) return { ...held, waitsFor: { for: 'opening', until } };
    const why = 'Its window does not open again before its deadline';
    return { ...held, stop: { towards: 'stopped', why } };
  }
  const wait = waitOf(situation, progress);
  if (wait !== undefined) return { ...held, waitsFor: wait };
  if (left <= 0) return { ...held, waitsFor: { for: 'ends', upTo: stage.end, canary: stage.canary } };
  const free = Math.min(window - counts.inFlight, counts.planned, left);
  return { window, most, progress, room: Math.max(0, free), sample: stage.sample };
}

/** Rows that are in flight or have ended, from where counting began. */
function sentSince({ total, counts }: Pick<Situation, 'total' | 'counts'>, progress: StageProgress): number {
  return rowsCounted(total, progress) - (total - counts.inFlight - counts.ended);
}

/** The progress after all steps that can be taken, as long as no rule is broken. */
function onward(situation: Situation): StageProgress {
  let progress = seen(situation);
  for (;;) {
    // A job that a rule has stopped stays in its stage.
    if (stopOf(situation, progress)?.towards === 'aborted') return progress;
    const next = step(situation, progress);
    if (next === progress) return progress;
    progress = next;
  }
}

/** The progress with what was last seen of the devices, and counted anew if another canary was set. */
function seen({ settings, counts, devices, progress: before }: Situation): StageProgress {
  const progress = withCanary(settings, before, counts);
  // Only one sender at a time looks, and its looks follow each other.
  if (devices === undefined || isDeepStrictEqual(devices, progress.devices)) return progress;
  return { ...progress, devices };
}

function withCanary({ canary }: JobSettings, progress: StageProgress, counts: Counts): StageProgress {
  if (canary === undefined || progress.canary === formatAmount(canary)) return progress;
  // Earlier releases did not record which canary has passed.
  const from =
    progress.canary === undefined && progress.canaryPassed ? progress : countFrom(counts, progress);
  return { ...from, canary: formatAmount(canary) };
}

const order: readonly WaitsFor[] = ['ends', 'soak', 'verify', 'word'];

/** One step further; the same progress if no step can be taken yet. */
function step(situation: Situation, progress: StageProgress): StageProgress {
  const { settings, now, runningSince } = situation;
  if (!isOverNow(situation, progress)) return overdue(situation, progress);
  const { end, canary } = stageOf(situation, progress);
  const { overdue: _, ...rest } = progress;
  const stageAfter = progress.devices?.stage?.lastSent;
  const passed = {
    ...rest,
    ...(stageAfter !== undefined && { stageAfter }),
    waitsFor: 'ends' as const,
    since: now,
    passed: Math.max(progress.passed, end),
    canaryPassed: progress.canaryPassed || canary,
  };
  // Rows beyond its end were sent before the stage was set: waiting would gain nothing.
  if (sentSince(situation, progress) > end) return passed;
  const asked: Readonly<Record<WaitsFor, boolean>> = {
    ends: true,
    soak: settings.soak !== undefined,
    verify: looksAtDevices(situation),
    word: settings.confirmEach === true && !isLast(situation),
  };
  const next = order.slice(order.indexOf(progress.waitsFor) + 1).find((wait) => asked[wait]);
  if (next === undefined) return passed;
  if (next !== 'word') return { ...progress, waitsFor: next, since: now };
  // Nobody is asked while the job is paused: a resume would then answer a question that nobody saw.
  if (runningSince === undefined) return progress;
  return { ...progress, waitsFor: next, since: now, askedIn: runningSince };
}

/** If a stage has waited too long for its devices, a person is asked about it. */
function overdue(situation: Situation, progress: StageProgress): StageProgress {
  const { settings, now, runningSince } = situation;
  if (progress.waitsFor !== 'verify' || isLast(situation) || runningSince === undefined) return progress;
  const why = overdueWhy(settings, progress, now);
  if (why === undefined) return progress;
  return { ...progress, waitsFor: 'word', since: now, askedIn: runningSince, overdue: why };
}

/** Whether all its rows were sent. */
function isLast({ counts }: Pick<Situation, 'counts'>): boolean {
  return counts.planned === 0;
}

function judgesDevices({ abortWhen = [] }: JobSettings): boolean {
  return abortWhen.some((rule) => rule.of === 'devices');
}

function looksAtDevices({ settings, counts }: Pick<Situation, 'settings' | 'counts'>): boolean {
  return isLast({ counts }) ? judgesDevices(settings) : settings.verifyEach === true;
}

/** Whether all rows of a job have ended, but its devices must be looked at before it is done. */
export function awaitsDevices(
  settings: JobSettings,
  progress: StageProgress,
  counts: Pick<Counts, 'planned' | 'inFlight' | 'applied' | 'superseded' | 'failed' | 'causes'>,
): boolean {
  if (counts.planned > 0 || counts.inFlight > 0 || !judgesDevices(settings)) return false;
  return progress.passed < endsSince(progress, counts).ended;
}

/** Whether the stage has what it waits for. */
function isOverNow(situation: Situation, progress: StageProgress): boolean {
  const { settings, counts, now, runningSince } = situation;
  const { waitsFor, since, askedIn } = progress;
  switch (waitsFor) {
    case 'ends': {
      // After the last stage there is no next stage to delay, and devices are looked at once.
      if (isLast(situation)) return awaitsDevices(settings, progress, counts);
      const stage = stageOf(situation, progress);
      const { ended, failed } = endsSince(progress, counts);
      if (stage.canary && failed > 0) return false;
      return ended >= stage.end && stage.sample;
    }
    case 'soak':
      return now >= since + (settings.soak ?? 0) * 1_000;
    case 'verify':
      // After the last stage the job does not wait for devices under way.
      if (isLast(situation) && isLookedAt(progress))
        return verdictOn(settings, progress)?.broken === undefined;
      return !looksAtDevices(situation) || (!isLast(situation) && passes(settings, progress));
    case 'word':
      return (
        !isAsked(settings, progress) ||
        isLast(situation) ||
        (runningSince !== undefined && runningSince !== askedIn)
      );
  }
}

function isAsked({ confirmEach, verifyEach }: JobSettings, { overdue: why }: StageProgress): boolean {
  return confirmEach === true || (why !== undefined && verifyEach === true);
}

function wordOf({ overdue: why }: StageProgress): Wait {
  return { for: 'word', ...(why !== undefined && { why }) };
}

function waitOf({ settings, counts }: Situation, progress: StageProgress): Wait | undefined {
  const { waitsFor, since } = progress;
  switch (waitsFor) {
    case 'ends':
      return undefined;
    case 'soak':
      return { for: 'soak', until: since + (settings.soak ?? 0) * 1_000 };
    case 'verify': {
      if (isLast({ counts })) return { for: 'verify', since };
      const awaits = verdictOn(settings, progress)?.awaits;
      const until = verifiedUntil(settings, since);
      return { for: 'verify', since, until, ...(awaits !== undefined && { awaits }) };
    }
    case 'word':
      return wordOf(progress);
  }
}

function stopOf(situation: Situation, progress: StageProgress): Stop | undefined {
  const { settings, counts, now } = situation;
  const ends = endsSince(progress, counts);
  if (stageOf(situation, progress).canary && ends.failed > 0)
    return {
      towards: 'aborted',
      why: `The canary failed: ${number(ends.failed)} of its first ${counted(ends.ended, 'row')} did`,
    };
  const devices = devicesJudged(progress);
  for (const rule of settings.abortWhen ?? []) {
    const judged = rule.of === 'devices' ? devices : endsFor(rule, ends);
    if (judged !== undefined && isBroken(rule, judged))
      return { towards: 'aborted', why: brokenText(rule, judged) };
  }
  const broken = progress.waitsFor === 'verify' ? verdictOn(settings, progress)?.broken : undefined;
  if (broken !== undefined) return { towards: 'aborted', why: broken };
  // Rows in flight then end in their own time.
  if (counts.planned > 0 && isOver(settings, now))
    return { towards: 'stopped', why: 'Its deadline has passed' };
  return undefined;
}
