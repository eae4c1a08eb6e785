import { z } from 'zod';
import type { Answer } from './answers.ts';
import { parseOrRefuse } from './settings.ts';

/** Headers that Node accepts: a token as name, printable Latin-1 as value. */
const Headers = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/),
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/),
);

/** One scripted answer to an UpdateOtaTask call. */
export const ScriptedAnswer = z.union([
  /**
   * `apply`: validate and apply as usual, free of limits and faults. `hang`: never answer. `reset`: reset the
   * connection, nothing applied. `apply-then-reset`: apply, then reset.
   */
  z.enum(['apply', 'hang', 'reset', 'apply-then-reset']),
  /** This answer, and nothing is applied. */
  z.strictObject({
    status: z.number().int().min(200).max(599),
    headers: Headers.optional(),
    /** A string goes out as it is (text/html unless `headers` say otherwise), anything else as JSON. */
    body: z.unknown().optional(),
    /** The error name in `x-amzn-errortype`; the body is then `{"message"}` unless given. */
    errorType: z.string().min(1).optional(),
    /** Instead of the latency in the settings. */
    delayMs: z.number().min(0).max(86_400_000).optional(),
  }),
]);
export type ScriptedAnswer = z.input<typeof ScriptedAnswer>;

/** The scripts: what the next calls get, per Identifier and for all. */
export class ScriptBook {
  readonly #queues = new Map<string, ScriptedAnswer[]>();
  #forAll: ScriptedAnswer | null = null;

  /** The next calls for `identifier` get these, one each; replaces what was left of an earlier script. */
  set(identifier: string, answers: unknown): void {
    const queue = parseOrRefuse(z.array(ScriptedAnswer), answers);
    if (queue.length === 0) this.#queues.delete(identifier);
    else this.#queues.set(identifier, queue);
  }

  /** Every call without a script of its own gets this, until null. */
  setForAll(answer: unknown): void {
    this.#forAll = parseOrRefuse(ScriptedAnswer.nullable(), answer);
  }

  /** Consumes the answer for a call, or null if none is scripted. */
  next(identifier: string): ScriptedAnswer | null {
    if (this.#queues.size === 0) return this.#forAll;
    const queue = this.#queues.get(identifier);
    const answer = queue?.shift();
    if (queue?.length === 0) this.#queues.delete(identifier);
    return answer ?? this.#forAll;
  }
}

/** The wire form of a scripted answer. */
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
  return { status, headers, body: status === 204 || status === 304 ? null : text };
}
