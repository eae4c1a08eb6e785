/**
 * Corrects on the wire what `local-aws-sqs` does differently from AWS in every test:
 *
 * - During a long poll it sleeps for the whole time, whatever arrives: it is asked only when there is something.
 * - A receive that its client has aborted waits on and takes messages until its wait ends: here no receive waits at the
 *   server. One that is under way still takes messages, for 40 ms at most.
 * - It knows names of system attributes only in the older field of the request.
 * - It counts every change of visibility as a receive: receives are counted here.
 * - It counts messages in flight among the visible ones.
 * - Its checksum of attributes is wrong for characters beyond ASCII: the checksum is left out.
 * - It answers a send and a change of visibility before it has made them.
 * - On a busy machine, a receive without a wait may find nothing in a queue that has messages: it is repeated.
 */
import { setTimeout } from 'node:timers/promises';
import type { SqsAnswer, SqsRule } from './proxy.ts';

/** Time between two looks of a long poll, in milliseconds. */
const LOOK_MS = 25;
/** For this long, an empty answer from a standard queue with messages is not believed. */
const DOUBT_MS = 1_000;

type Json = Readonly<Record<string, unknown>>;
type Forward = Parameters<SqsRule>[1];

export interface SecondSqs {
  /** Resolves when direct requests to the server are done: other requests are forwarded after that. */
  readonly asked: () => Promise<void>;
  /** Number of messages that a receive would return; undefined if there is no such queue. */
  readonly ready: (queue: string) => number | undefined;
}

export function secondSqsShim({ asked, ready }: SecondSqs): SqsRule {
  const receives = new Map<string, number>();
  return async ({ action, queue, input }, forward) => {
    await asked();
    if (action === 'ReceiveMessage')
      return counted(await poll(queue, input, forward, () => ready(queue)), receives);
    if (action === 'GetQueueAttributes') return withoutInFlight(await forward());
    const answer = await forward();
    await made(action);
    return answer;
  };
}

/** Resolves when the server, which runs in this process, has made what it has just answered. */
export async function made(action: string): Promise<void> {
  // The server uses a timer of 1 ms; a longer timer that is set later also ends later.
  if (/^(SendMessage|ChangeMessageVisibility)/.test(action)) await setTimeout(2);
}

async function poll(
  queue: string,
  input: Json,
  forward: Forward,
  ready: () => number | undefined,
): Promise<SqsAnswer> {
  const until = performance.now() + Number(input.WaitTimeSeconds ?? 0) * 1_000;
  const AttributeNames = input.AttributeNames ?? input.MessageSystemAttributeNames;
  for (;;) {
    const isOver = performance.now() >= until;
    if (isOver || ready() !== 0) {
      const answer = await forward({ ...input, AttributeNames, WaitTimeSeconds: 0 });
      const { Messages } = answer.output;
      const some = Array.isArray(Messages) && Messages.length > 0;
      // In a FIFO queue, the messages may be behind those in flight.
      const isDoubtful = !queue.endsWith('.fifo') && ready() !== 0 && performance.now() < until + DOUBT_MS;
      if (some || answer.status !== 200 || (isOver && !isDoubtful)) return answer;
    }
    await setTimeout(LOOK_MS);
  }
}

/** The answer to a receive with the receive counts that AWS would give. */
function counted(answer: SqsAnswer, receives: Map<string, number>): SqsAnswer {
  const messages = answer.output.Messages as readonly Json[] | undefined;
  if (messages === undefined) return answer;
  const Messages = messages.map(withoutWrongChecksum).map((message) => {
    const attributes = (message.Attributes ?? {}) as Json;
    // A message keeps its id when a redrive policy moves it, but its count starts again.
    const key = `${message.MessageId} ${attributes.SentTimestamp}`;
    const count = (receives.get(key) ?? 0) + 1;
    receives.set(key, count);
    if (attributes.ApproximateReceiveCount === undefined) return message;
    return { ...message, Attributes: { ...attributes, ApproximateReceiveCount: String(count) } };
  });
  return { ...answer, output: { ...answer.output, Messages } };
}

function withoutInFlight(answer: SqsAnswer): SqsAnswer {
  const attributes = answer.output.Attributes as Readonly<Record<string, string>> | undefined;
  const all = attributes?.ApproximateNumberOfMessages;
  const inFlight = attributes?.ApproximateNumberOfMessagesNotVisible;
  if (all === undefined || inFlight === undefined) return answer;
  const ApproximateNumberOfMessages = String(Number(all) - Number(inFlight));
  return { ...answer, output: { Attributes: { ...attributes, ApproximateNumberOfMessages } } };
}

function withoutWrongChecksum(message: Json): Json {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII
  if (/^[\x00-\x7f]*$/.test(JSON.stringify(message.MessageAttributes ?? {}))) return message;
  const { MD5OfMessageAttributes: _, ...others } = message;
  return others;
}
