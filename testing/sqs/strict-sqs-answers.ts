/** The strict layer's answers: AWS's rules first, then the emulator or, for FIFO queues, the model. */
import { hash } from 'node:crypto';
import { StrictFifo } from './strict-fifo.ts';
import {
  bytesOf,
  extensionFault,
  type Flight,
  MAX_BYTES,
  type Refusal,
  refusalOf,
} from './strict-sqs-rules.ts';
import {
  type Answer,
  batch,
  type Entry,
  entriesOf,
  failed,
  ok,
  type Request,
  refused,
  single,
} from './strict-sqs-wire.ts';

/** How long the name of a deleted queue is refused, in milliseconds. */
const NAME_BLOCKED_MS = 60_000;
/** How often a long poll checks for expired leases, in milliseconds. */
const LAPSE_POLL_MS = 25;

interface FifoQueue {
  readonly model: StrictFifo;
  readonly attributes: Readonly<Record<string, string>>;
}

export class StrictRules {
  readonly #now: () => number;
  readonly #fifos = new Map<string, FifoQueue>();
  /** Deliveries of standard queues, by receipt handle. */
  readonly #flights = new Map<string, Flight>();
  readonly #deletedAt = new Map<string, number>();

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  async answer(request: Request): Promise<Answer> {
    const { action, queue, forward } = request;
    switch (action) {
      case 'CreateQueue': {
        const deletedAt = this.#deletedAt.get(queue) ?? Number.NEGATIVE_INFINITY;
        if (this.#now() - deletedAt >= NAME_BLOCKED_MS) return forward();
        const message =
          'You must wait 60 seconds after deleting a queue before you can create another of its name.';
        return refused({ code: 'QueueDeletedRecently', message });
      }
      case 'DeleteQueue':
        this.#deletedAt.set(queue, this.#now());
        this.#fifos.delete(queue);
        return forward();
      case 'PurgeQueue':
        this.#fifos.get(queue)?.model.purge();
        return forward();
      default:
        return queue.endsWith('.fifo') ? this.#answerFifo(request) : this.#answerStandard(request);
    }
  }

  async #answerStandard(request: Request): Promise<Answer> {
    const { action, forward } = request;
    const input = request.input as Entry;
    switch (action) {
      case 'SendMessage': {
        const refusal = refusalOf(input, false);
        return refusal === undefined ? forward() : refused(refusal);
      }
      case 'SendMessageBatch':
        return this.#filter(request, (entry) => refusalOf(entry, false));
      case 'ReceiveMessage':
        return this.#receiveStandard(request);
      case 'ChangeMessageVisibility': {
        const refusal = this.#change(input);
        return refusal === undefined ? forward() : refused(refusal);
      }
      case 'ChangeMessageVisibilityBatch':
        return this.#filter(request, (entry) => this.#change(entry));
      default:
        return forward();
    }
  }

  async #receiveStandard({ input, forward }: Request): Promise<Answer> {
    const answer = await forward();
    const since = this.#now();
    const seconds = input.VisibilityTimeout ?? (await attributesOf(input, forward))?.VisibilityTimeout ?? 30;
    for (const { ReceiptHandle } of (answer.output.Messages as Entry[] | undefined) ?? [])
      this.#flights.set(ReceiptHandle, { since, until: since + Number(seconds) * 1_000 });
    return answer;
  }

  #change({ ReceiptHandle, VisibilityTimeout }: Entry): Refusal | undefined {
    const flight = this.#flights.get(ReceiptHandle);
    const fault = extensionFault(flight, Number(VisibilityTimeout), this.#now());
    if (fault === undefined && flight !== undefined)
      flight.until = this.#now() + Number(VisibilityTimeout) * 1_000;
    return fault;
  }

  /** Forwards the entries that pass, and answers for the rest. */
  async #filter(request: Request, check: (entry: Entry) => Refusal | undefined): Promise<Answer> {
    const Failed: object[] = [];
    const Entries = entriesOf(request).filter((entry) => {
      const refusal = check(entry);
      if (refusal !== undefined) Failed.push(failed(entry, refusal));
      return refusal === undefined;
    });
    if (Failed.length === 0) return request.forward();
    if (Entries.length === 0) return ok({ Successful: [], Failed });
    const answer = await request.forward({ ...request.input, Entries });
    const others = (answer.output.Failed as object[] | undefined) ?? [];
    return { ...answer, output: { ...answer.output, Failed: [...others, ...Failed] } };
  }

  async #answerFifo(request: Request): Promise<Answer> {
    const { action, forward } = request;
    const input = request.input as Entry;
    const queue = await this.#fifo(request);
    if (queue === undefined) return forward();
    const { model } = queue;
    const change = ({ ReceiptHandle, VisibilityTimeout }: Entry): Refusal | undefined =>
      model.changeVisibility(ReceiptHandle, Number(VisibilityTimeout));
    switch (action) {
      case 'GetQueueAttributes':
        return withCounts(await forward(), model);
      case 'SendMessage': {
        const sent = send(queue, input);
        return 'code' in sent ? refused(sent) : ok({ ...sent });
      }
      case 'SendMessageBatch': {
        const entries = entriesOf(request);
        const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
        if (bytes <= MAX_BYTES) return batch(entries, (entry) => send(queue, entry));
        return refused({ code: 'BatchRequestTooLong', message: 'The batch is longer than 1048576 bytes.' });
      }
      case 'ReceiveMessage':
        return ok({ Messages: await this.#receiveFifo(request, queue) });
      case 'DeleteMessage':
        return single(model.delete(input.ReceiptHandle));
      case 'DeleteMessageBatch':
        return batch(entriesOf(request), ({ ReceiptHandle }) => model.delete(ReceiptHandle) ?? {});
      case 'ChangeMessageVisibility':
        return single(change(input));
      case 'ChangeMessageVisibilityBatch':
        return batch(entriesOf(request), (entry) => change(entry) ?? {});
      default:
        return forward();
    }
  }

  /** The model of a queue; undefined if there is no such queue. */
  async #fifo({ queue, input, forward }: Request): Promise<FifoQueue | undefined> {
    const known = this.#fifos.get(queue);
    if (known !== undefined) return known;
    const attributes = await attributesOf(input, forward);
    if (attributes === undefined) return undefined;
    // Another request may have created it at the same time.
    const made = this.#fifos.get(queue) ?? { model: new StrictFifo(this.#now), attributes };
    this.#fifos.set(queue, made);
    return made;
  }

  async #receiveFifo({ input, gone, queue: name }: Request, queue: FifoQueue): Promise<object[]> {
    const seconds = Number(input.VisibilityTimeout ?? queue.attributes.VisibilityTimeout);
    const end = performance.now() + Number(input.WaitTimeSeconds ?? 0) * 1_000;
    for (;;) {
      // A client that has disconnected gets nothing, and neither does a client of a deleted queue.
      if (gone.aborted || this.#fifos.get(name) !== queue) return [];
      const messages = queue.model.receive(Number(input.MaxNumberOfMessages ?? 1), seconds);
      if (messages.length > 0 || performance.now() >= end) return messages;
      await queue.model.changed(LAPSE_POLL_MS);
    }
  }
}

function send({ model, attributes }: FifoQueue, entry: Entry): Refusal | object {
  const refusal = refusalOf(entry, true);
  if (refusal !== undefined) return refusal;
  if (bytesOf(entry) > Number(attributes.MaximumMessageSize)) {
    const message = `Message must be shorter than ${attributes.MaximumMessageSize} bytes.`;
    return { code: 'InvalidParameterValue', message };
  }
  if (entry.MessageDeduplicationId !== undefined) return model.send(entry, entry.MessageDeduplicationId);
  if (attributes.ContentBasedDeduplication === 'true')
    return model.send(entry, hash('sha256', entry.MessageBody ?? '', 'hex'));
  return { code: 'InvalidParameterValue', message: 'MessageDeduplicationId is missing.' };
}

async function attributesOf(
  { QueueUrl }: Request['input'],
  forward: Request['forward'],
): Promise<Record<string, string> | undefined> {
  const { status, output } = await forward({ QueueUrl, AttributeNames: ['All'] }, 'GetQueueAttributes');
  return status === 200 ? (output.Attributes as Record<string, string>) : undefined;
}

function withCounts(answer: Answer, model: StrictFifo): Answer {
  if (answer.status !== 200) return answer;
  const { visible, inFlight } = model.counts();
  const Attributes = {
    ...(answer.output.Attributes as object),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
  };
  return { ...answer, output: { Attributes } };
}
