/**
 * Whether all calls are held: until a time that the API has named to several throttled calls in a row, for different Identifiers.
 * A time named only to calls for one Identifier concerns only these; the retries handle it. PURE.
 *
 *   free ── the third throttled call in a row names a time ───────► held until the latest of their times
 *   held ── another throttled call names a later time ────────────► held until that one
 *   held ── its time has come ────────────────────────────────────► free
 *   held ── an accepted call began after one of the latest three ─► free
 *
 * Rules:
 * - In a row: in the order in which calls began, with no unanswered call between them. Answers may overtake each other, and
 *   refusals are the faster ones.
 * - An accepted call contradicts the times named to calls that began before it, whichever answer comes first.
 * - Of several calls for one Identifier, only the latest counts.
 * - The end of a hold does not end the row: if the first call after it is throttled and names a time too, calls are held again.
 */

/** With one, spurious 429s of 1% that name a second would cost more than half of 200 calls a second. */
const IN_A_ROW = 3;
/** The longest time for which calls are held, counted from now, in milliseconds. */
export const MAX_HOLD_MS = 60_000;

/** A call that has begun. All times are monotonic milliseconds. */
export interface Call {
  readonly identifier: string;
  readonly startedAt: number;
}

/** A throttled call to which the API has named a time. */
export interface Named extends Call {
  readonly until: number;
}

interface Row {
  /** Of the accepted calls, the latest start. */
  readonly acceptedFrom: number;
  /** The last three throttled calls begun after that, for different Identifiers, by their start. */
  readonly named: readonly Named[];
}

export type HoldState =
  | ({ readonly held: false } & Row)
  | ({ readonly held: true; readonly since: number; readonly until: number } & Row);

export const free: HoldState = { held: false, acceptedFrom: Number.NEGATIVE_INFINITY, named: [] };

/** A call that began at `startedAt` was accepted. */
export function accepted(state: HoldState, startedAt: number): HoldState {
  if (startedAt <= state.acceptedFrom) return state;
  const named = state.named.filter((call) => call.startedAt > startedAt);
  const row = { acceptedFrom: startedAt, named };
  return state.held && named.length === IN_A_ROW ? { ...state, ...row } : { held: false, ...row };
}

/**
 * A throttled call has been answered, and the answer names a time.
 * @param open calls that are not answered yet.
 */
export function throttled(state: HoldState, call: Named, open: Iterable<Call>, now: number): HoldState {
  const { acceptedFrom } = state;
  if (call.startedAt <= acceptedFrom) return state;
  const until = Math.min(call.until, now + MAX_HOLD_MS);
  const named = withCall(state.named, { ...call, until });
  const row = { acceptedFrom, named };
  if (state.held) return { ...state, ...row, until: Math.max(state.until, until) };
  if (!isRow(named, open)) return { held: false, ...row };
  return { held: true, since: now, until: Math.max(until, ...named.map((each) => each.until)), ...row };
}

function withCall(named: readonly Named[], call: Named): readonly Named[] {
  const same = named.find(({ identifier }) => identifier === call.identifier);
  if (same !== undefined && same.startedAt >= call.startedAt) return named;
  return [...named.filter((other) => other !== same), call]
    .sort((a, b) => a.startedAt - b.startedAt)
    .slice(-IN_A_ROW);
}

function isRow(named: readonly Named[], open: Iterable<Call>): boolean {
  const [first, last] = [named[0], named[IN_A_ROW - 1]];
  if (first === undefined || last === undefined) return false;
  for (const { startedAt } of open)
    if (startedAt > first.startedAt && startedAt < last.startedAt) return false;
  return true;
}

/** The time is now `now`. */
export function timePassed(state: HoldState, now: number): HoldState {
  if (!state.held || now < state.until) return state;
  const { acceptedFrom, named } = state;
  return { held: false, acceptedFrom, named };
}
