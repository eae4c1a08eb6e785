/** Gives back what receives take whose clients have aborted them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

interface Taken {
  readonly Messages?: readonly { readonly ReceiptHandle: string }[];
}

/**
 * For an SQS emulator that lets an aborted long poll wait on: it would take the next messages and answer nobody, and
 * they would stay in flight for the whole visibility timeout. Here they become visible again at once, with one delivery more
 * to their count, and a live long poll of the same queue may end early and empty: the emulator wakes all of them, and the
 * first one takes. What is taken before the server sees that the connection is closed is not given back.
 * Call this before the server listens.
 */
export function giveBackAborted(app: FastifyInstance): void {
  app.addHook('preSerialization', async (request, _reply, payload) => {
    if (request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage' && isAborted(request)) {
      const { QueueUrl } = request.body as { readonly QueueUrl: string };
      await giveBack(app, QueueUrl, payload as Taken);
    }
    return payload;
  });
}

/** Whether nobody waits for the answer any more. */
export function isAborted({ raw }: Pick<FastifyRequest, 'raw'>): boolean {
  return raw.socket.destroyed;
}

/** Makes the messages of an answer that nobody gets visible again. */
export async function giveBack(
  app: FastifyInstance,
  QueueUrl: unknown,
  { Messages = [] }: Taken,
): Promise<void> {
  if (Messages.length === 0) return;
  const Entries = Messages.map(({ ReceiptHandle }, i) => ({
    Id: String(i),
    ReceiptHandle,
    VisibilityTimeout: 0,
  }));
  await app.inject({
    method: 'POST',
    url: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.ChangeMessageVisibilityBatch',
    },
    payload: JSON.stringify({ QueueUrl, Entries }),
  });
}
