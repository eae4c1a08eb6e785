/** SQS's JSON protocol in the strict layer: requests, answers, and the emulator behind it. */
import type { Refusal, SentMessage } from './strict-sqs-rules.ts';

export type Input = Readonly<Record<string, unknown>>;
export type Entry = Input & SentMessage & { readonly Id: string; readonly ReceiptHandle: string };

export interface Answer {
  readonly status: number;
  readonly output: Input;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Request {
  /** Such as `ReceiveMessage`. */
  readonly action: string;
  /** The queue's name. */
  readonly queue: string;
  readonly input: Input;
  /** Asks the emulator: the original request, or one with another input or action. */
  readonly forward: (input?: Input, action?: string) => Promise<Answer>;
  /** Aborts when the client disconnects. */
  readonly gone: AbortSignal;
}

export interface Upstream {
  readonly url: string;
  readonly authorization: string;
  readonly signal: AbortSignal;
}

/** One request to the emulator. */
export async function ask(upstream: Upstream, action: string, input: Input): Promise<Answer> {
  const answer = await fetch(upstream.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization: upstream.authorization,
    },
    body: JSON.stringify(input),
    signal: upstream.signal,
  });
  const error = answer.headers.get('x-amzn-query-error');
  const body = await answer.text();
  return {
    status: answer.status,
    output: body === '' ? {} : (JSON.parse(body) as Input),
    ...(error !== null && { headers: { 'x-amzn-query-error': error } }),
  };
}

export const ok = (output: Input = {}): Answer => ({ status: 200, output });

export function refused({ code, message }: Refusal): Answer {
  return {
    status: 400,
    output: { __type: `com.amazonaws.sqs#${code}`, message },
    headers: { 'x-amzn-query-error': `${code};Sender` },
  };
}

export const entriesOf = ({ input }: Request): readonly Entry[] =>
  (input.Entries as Entry[] | undefined) ?? [];

/** The answer to a request about one message. */
export function single(refusal: Refusal | undefined): Answer {
  return refusal === undefined ? ok() : refused(refusal);
}

/** The answer to a request about several messages, each carried out separately. */
export function batch(entries: readonly Entry[], carryOut: (entry: Entry) => Refusal | object): Answer {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    const result = carryOut(entry);
    if ('code' in result) Failed.push(failed(entry, result));
    else Successful.push({ Id: entry.Id, ...result });
  }
  return ok({ Successful, Failed });
}

export function failed({ Id }: Entry, { code, message }: Refusal): object {
  return { Id, SenderFault: true, Code: code, Message: message };
}
