/**
 * The one decision about a job that is being sent: how many rows may be sent now, what it waits for, and whether to stop. PURE.
 *
 * A job goes through its stages, the canary first. In each, rows are sent until its end is reached; when all of them have ended it
 * waits as long as it is told to, for the devices to be looked at, and for a person, and then the next stage begins:
 *
 *   ends -> soak -> verify -> word -> ends of the next stage
 *
 * Steps that are not asked for are left out. After the last stage nothing is waited for but ends; where a rule judges devices, then
 * also soak and verify, so that what the last rows did to them is judged before the job is done.
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
  /** Rows of the job, those that are not in the ledger yet among them. */
  readonly total: number;
  /** The devices of its tasks, when somebody has looked. */
  readonly devices?: SeenDevices | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Rows of all jobs that end per second. */
  readonly perSecond: number;
  /** The shortest time in which rows are sent and seen to have ended; undefined: not known. */
  readonly roundTripMs?: number | undefined;
  /** The other jobs that are being sent; none unless they are given. */
  readonly beside?: Beside | undefined;
  /** Since when it has been running, as its state says; undefined while its state is another. */
  readonly runningSince?: number | undefined;
}

export interface Decision {
  /** Rows that may be sent now. */
  readonly room: number;
  /** Whether they are to be taken from all over the plan: others follow that are not in their stage. */
  readonly sample: boolean;
  /** Rows in flight at most. */
  readonly window: number;
  /** Rows that could be in flight if all that others have were its own: none while it waits. */
  readonly most: number;
  /** To be kept; the same object when nothing has changed. */
  readonly progress: StageProgress;
  /** What keeps rows from being sent, besides a full window. */
  readonly waitsFor?: Wait;
  readonly stop?: Stop;
}

export type Wait =
  /** Its time has not come; `until` in epoch milliseconds. */
  | { readonly for: 'opening'; readonly until: number }
  | { readonly for: 'soak'; readonly until: number }
  /**
   * `since`: devices count that were looked at in this wait, as `SeenDevices.inWait` has it. `until`: then a person is asked; undefined
   * after the last stage. Both in epoch milliseconds.
   */
  | {
      readonly for: 'verify';
      readonly since: number;
      readonly until?: number;
      readonly awaits?: AwaitedDevices;
    }
  /** `why` it is asked for, as a sentence without its full stop; undefined: somebody wanted to be asked. */
  | { readonly for: 'word'; readonly why?: string }
  /** All rows up to `upTo`, counted from where counting began, are sent and have not ended. */
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
  // Before its time of the day: whoever is to give the word need not be asked at night.
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

/** Rows that are on their way or have ended, from where counting began. */
function sentSince({ total, counts }: Pick<Situation, 'total' | 'counts'>, progress: StageProgress): number {
  return rowsCounted(total, progress) - (total - counts.inFlight - counts.ended);
}

/** The progress with every step taken that can be, as long as no rule is broken. */
function onward(situation: Situation): StageProgress {
  let progress = seen(situation);
  for (;;) {
    // What a rule has stopped stays in its stage.
    if (stopOf(situation, progress)?.towards === 'aborted') return progress;
    const next = step(situation, progress);
    if (next === progress) return progress;
    progress = next;
  }
}

/** With what was last seen of the devices, and counted anew if another canary was set. */
function seen({ settings, counts, devices, progress: before }: Situation): StageProgress {
  const progress = withCanary(settings, before, counts);
  // One sender at a time looks, and its looks come one after the other.
  if (devices === undefined || isDeepStrictEqual(devices, progress.devices)) return progress;
  return { ...progress, devices };
}

function withCanary({ canary }: JobSettings, progress: StageProgress, counts: Counts): StageProgress {
  if (canary === undefined || progress.canary === formatAmount(canary)) return progress;
  // Earlier releases did not note which canary has passed.
  const from =
    progress.canary === undefined && progress.canaryPassed ? progress : countFrom(counts, progress);
  return { ...from, canary: formatAmount(canary) };
}

const order: readonly WaitsFor[] = ['ends', 'soak', 'verify', 'word'];

/** One step further; the same progress when it cannot be taken yet. */
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
  // Rows beyond it were sent before there was such a stage: nothing would be gained by a wait.
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
  // Nobody is asked while the job is paused: to resume it would be the answer to a question that nobody saw.
  if (runningSince === undefined) return progress;
  return { ...progress, waitsFor: next, since: now, askedIn: runningSince };
}

/** A stage whose devices were waited for too long has a person asked about it. */
function overdue(situation: Situation, progress: StageProgress): StageProgress {
  const { settings, now, runningSince } = situation;
  if (progress.waitsFor !== 'verify' || isLast(situation) || runningSince === undefined) return progress;
  const why = overdueWhy(settings, progress, now);
  if (why === undefined) return progress;
  return { ...progress, waitsFor: 'word', since: now, askedIn: runningSince, overdue: why };
}

/** Whether all of its rows are sent. */
function isLast({ counts }: Pick<Situation, 'counts'>): boolean {
  return counts.planned === 0;
}

function judgesDevices({ abortWhen = [] }: JobSettings): boolean {
  return abortWhen.some((rule) => rule.of === 'devices');
}

function looksAtDevices({ settings, counts }: Pick<Situation, 'settings' | 'counts'>): boolean {
  return isLast({ counts }) ? judgesDevices(settings) : settings.verifyEach === true;
}

/** Whether all rows of a job have ended, and its devices are to be looked at before it is done. */
export function awaitsDevices(
  settings: JobSettings,
  progress: StageProgress,
  counts: Pick<Counts, 'planned' | 'inFlight' | 'applied' | 'superseded' | 'failed' | 'causes'>,
): boolean {
  if (counts.planned > 0 || counts.inFlight > 0 || !judgesDevices(settings)) return false;
  return progress.passed < endsSince(progress, counts).ended;
}

/** Whether what the stage waits for has come about. */
function isOverNow(situation: Situation, progress: StageProgress): boolean {
  const { settings, counts, now, runningSince } = situation;
  const { waitsFor, since, askedIn } = progress;
  switch (waitsFor) {
    case 'ends': {
      // After the last stage nothing follows that would have to wait, and devices are looked at once.
      if (isLast(situation)) return awaitsDevices(settings, progress, counts);
      const stage = stageOf(situation, progress);
      const { ended, failed } = endsSince(progress, counts);
      if (stage.canary && failed > 0) return false;
      return ended >= stage.end && stage.sample;
    }
    case 'soak':
      return now >= since + (settings.soak ?? 0) * 1_000;
    case 'verify':
      // After the last stage those under way are not waited for.
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
  // What is in flight then ends as it may.
  if (counts.planned > 0 && isOver(settings, now))
    return { towards: 'stopped', why: 'Its deadline has passed' };
  return undefined;
}
