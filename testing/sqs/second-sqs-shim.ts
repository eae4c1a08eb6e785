/**
 * What `local-aws-sqs` does otherwise than AWS in every test, mended on the wire:
 *
 * - In a long poll it sleeps for the whole time, whatever comes meanwhile: it is asked when there is something, instead.
 * - A receive that its client has given up takes messages for 40 ms more: none is under way while there is nothing.
 * - It knows the names of system attributes by the older field of the request alone.
 * - It counts every change of visibility as a receive: receives are counted here.
 * - It counts messages in flight among the visible ones.
 * - The checksum of attributes is wrong for characters beyond ASCII: it is left out.
 * - It answers a change of visibility before it has made it.
 * - On a busy machine a receive without a wait finds nothing in a queue that has something: it is asked again.
 */
import { setTimeout } from 'node:timers/promises';
import type { SqsAnswer, SqsRule } from './proxy.ts';

/** Between two looks of a long poll, in milliseconds. */
const LOOK_MS = 25;
/** For how long nothing is not believed of a standard queue that has something. */
const DOUBT_MS = 1_000;

type Json = Readonly<Record<string, unknown>>;
type Forward = Parameters<SqsRule>[1];

export interface SecondSqs {
  /** Resolves when what was asked of the server directly is done: requests are passed on after it. */
  readonly asked: () => Promise<void>;
  /** Messages that a receive would bring; undefined where there is no such queue. */
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
    // It changes by a timer of 1 ms at least; one that was set after it and is longer ends after it.
    if (action.startsWith('ChangeMessageVisibility')) await setTimeout(2);
    return answer;
  };
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
      // Of a FIFO queue what there is may be behind what is in flight.
      const isDoubtful = !queue.endsWith('.fifo') && ready() !== 0 && performance.now() < until + DOUBT_MS;
      if (some || answer.status !== 200 || (isOver && !isDoubtful)) return answer;
    }
    await setTimeout(LOOK_MS);
  }
}

/** The answer to a receive with the receive counts that AWS would say. */
function counted(answer: SqsAnswer, receives: Map<string, number>): SqsAnswer {
  const messages = answer.output.Messages as readonly Json[] | undefined;
  if (messages === undefined) return answer;
  const Messages = messages.map(withoutWrongChecksum).map((message) => {
    const attributes = (message.Attributes ?? {}) as Json;
    // A message keeps its id where a redrive policy moves it; its count begins anew there.
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
