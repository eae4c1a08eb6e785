/** Since when the IoT API is away from something that reads it in the background. PURE. */
import { explainAway } from '../../message/explain-read.ts';
import type { Failure } from '../../message/failure.ts';
import { instant } from '../../text/times.ts';
import { type Html, html } from '../pages/html.ts';

export interface ApiAway {
  /** Epoch milliseconds. */
  readonly since: number;
  /** Follows its name, without its full stop. */
  readonly why: string;
}

/** Told what came instead of an answer, and undefined when an answer has come since. */
export type OnApiAway = (failure: Failure | undefined) => void;

export function apiAway(
  failure: Failure | undefined,
  before: ApiAway | undefined,
  now: number,
): ApiAway | undefined {
  return failure && { since: before?.since ?? now, why: explainAway(failure) };
}

/** @param ends what ends the asking, as a clause. */
export function apiAwayNote(away: ApiAway | undefined, ends: string): Html | false {
  if (away === undefined) return false;
  return html`<p class="away">The IoT API ${away.why} since ${instant(away.since)} UTC: it is asked again, and ${ends}.</p>\n`;
}
