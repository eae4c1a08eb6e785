/**
 * Trace contexts as messages carry them: W3C's `traceparent`, and X-Ray's header. Anyone who may send a message can write
 * them, so a malformed one counts as absent. PURE.
 */

/** A span in another process. */
export interface TraceContext {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all 0. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** Its creator leaves the sampling decision to others. */
  readonly undecided?: true;
  /** W3C's `tracestate`. */
  readonly state?: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})$/;
/** The characters that W3C allows, and as many as everyone must pass on. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;
const MAX_TRACE_HEADER = 256;
const X_RAY_ROOT = /(?:^|;)Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)/;
const X_RAY_PARENT = /(?:^|;)Parent=((?!0{16})[0-9a-f]{16})(?:;|$)/;
const X_RAY_SAMPLED = /(?:^|;)Sampled=([01])(?:;|$)/;

/** @param parent and @param state may be anything. @returns undefined for anything that is not a context. */
export function readTraceparent(parent: unknown, state?: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] = (typeof parent === 'string' && TRACEPARENT.exec(parent)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return {
    traceId,
    spanId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    ...(isTracestate(state) && { state }),
  };
}

/** Whether a text may be passed on as `tracestate`. */
export function isTracestate(text: unknown): text is string {
  return typeof text === 'string' && TRACESTATE.test(text);
}

/** Reads `Root=1-…;Parent=…;Sampled=1`. Without a valid parent it names no span. */
export function readTraceHeader(text: string | undefined): TraceContext | undefined {
  if (text === undefined || text.length > MAX_TRACE_HEADER) return undefined;
  const [, time, rest] = X_RAY_ROOT.exec(text) ?? [];
  const spanId = X_RAY_PARENT.exec(text)?.[1];
  if (time === undefined || rest === undefined || spanId === undefined) return undefined;
  const traceId = time + rest;
  if (/^0+$/.test(traceId)) return undefined;
  const decision = X_RAY_SAMPLED.exec(text)?.[1];
  return { traceId, spanId, sampled: decision === '1', ...(decision === undefined && { undecided: true }) };
}

/** The text that {@link readTraceparent} reads. */
export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
