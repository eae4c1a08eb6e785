/** Since when the IoT API is away, for background work that reads it. PURE. */
import { explainAway } from '../../message/explain-read.ts';
import type { Failure } from '../../message/failure.ts';
import { instant } from '../../text/times.ts';
import { type Html, html } from '../pages/html.ts';

export interface ApiAway {
  /** Epoch milliseconds. */
  readonly since: number;
  /** Continues the sentence after its name, without its full stop. */
  readonly why: string;
}

/** Called with a failure that came instead of an answer, and with undefined when answers come again. */
export type OnApiAway = (failure: Failure | undefined) => void;

export function apiAway(
  failure: Failure | undefined,
  before: ApiAway | undefined,
  now: number,
): ApiAway | undefined {
  return failure && { since: before?.since ?? now, why: explainAway(failure) };
}

/** @param ends what ends the attempts, as a clause. */
export function apiAwayNote(away: ApiAway | undefined, ends: string): Html | false {
  if (away === undefined) return false;
  return html`<p class="away">The IoT API ${away.why} since ${instant(away.since)} UTC: it is asked again, and ${ends}.</p>\n`;
}
