import { z } from 'zod';
import type { Answer } from './answers.ts';
import { parseOrRefuse } from './settings.ts';

/** Headers that Node accepts. */
const Headers = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/),
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/),
);

/** One scripted answer to an UpdateOtaTask call. */
export const ScriptedAnswer = z.union([
  /**
   * `apply`: validate and apply, without limits and faults. `hang`: never answer. `reset`: reset the connection without
   * applying. `apply-then-reset`: apply, then reset.
   */
  z.enum(['apply', 'hang', 'reset', 'apply-then-reset']),
  /**
   * This answer, without applying. Without a name (`errorType`, or `__type` in the body) it is like a proxy's and has no request id, unless it is
   * a 204.
   */
  z.strictObject({
    status: z.number().int().min(200).max(599),
    headers: Headers.optional(),
    /** A string is sent as it is (text/html unless `headers` says otherwise), anything else as JSON. */
    body: z.unknown().optional(),
    /** The error name in `x-amzn-errortype`; the body is then `{"message"}` unless given. */
    errorType: z.string().min(1).optional(),
    /** Instead of the latency of the settings. */
    delayMs: z.number().min(0).max(86_400_000).optional(),
  }),
]);
export type ScriptedAnswer = z.input<typeof ScriptedAnswer>;

/** Scripted answers, per Identifier and for all calls. */
export class ScriptBook {
  readonly #queues = new Map<string, ScriptedAnswer[]>();
  #forAll: ScriptedAnswer | null = null;

  /** One answer for each of the next calls for `identifier`; replaces an earlier script. */
  set(identifier: string, answers: unknown): void {
    const queue = parseOrRefuse(z.array(ScriptedAnswer), answers);
    if (queue.length === 0) this.#queues.delete(identifier);
    else this.#queues.set(identifier, queue);
  }

  /** The answer for every call without a script of its own; null ends it. */
  setForAll(answer: unknown): void {
    this.#forAll = parseOrRefuse(ScriptedAnswer.nullable(), answer);
  }

  /** Takes the answer for a call; null if none is scripted. */
  next(identifier: string): ScriptedAnswer | null {
    if (this.#queues.size === 0) return this.#forAll;
    const queue = this.#queues.get(identifier);
    const answer = queue?.shift();
    if (queue?.length === 0) this.#queues.delete(identifier);
    return answer ?? this.#forAll;
  }
}

export function scriptedToAnswer(script: Exclude<ScriptedAnswer, string>): Answer {
  const { status, body, errorType } = script;
  const headers: Record<string, string> = {};
  let text: string | null = null;
  if (typeof body === 'string') {
    headers['content-type'] = 'text/html; charset=utf-8';
    text = body;
  } else if (body !== undefined || errorType !== undefined) {
    headers['content-type'] = 'application/json';
    text = JSON.stringify(body ?? { message: `Scripted ${errorType}` });
  }
  if (errorType !== undefined) headers['x-amzn-errortype'] = errorType;
  for (const [name, value] of Object.entries(script.headers ?? {})) headers[name.toLowerCase()] = value;
  const named = errorType !== undefined || (typeof body === 'object' && body !== null && '__type' in body);
  const foreign = !named && status !== 204;
  return {
    status,
    headers,
    body: status === 204 || status === 304 ? null : text,
    ...(foreign && { foreign }),
  };
}
