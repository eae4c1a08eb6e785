/** A span for each redriven letter, in the trace of its producer or of the worker that dead-lettered it. */
import { SpanKind, type Tracer } from '@opentelemetry/api';
import {
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_MESSAGE_ID,
  MESSAGING_OPERATION_TYPE_VALUE_SEND,
} from '@opentelemetry/semantic-conventions/incubating';
import type { SourceQueue } from '../dead-letters/changes/move.ts';
import { tracesOf } from '../message/message-traces.ts';
import type { OutgoingMessage } from '../queue/types.ts';
import type { Clock } from '../time/clock.ts';
import { contextBelow, linkTo, operation, tracedQueue } from './attributes.ts';

interface RedriveSpansOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  /** Called with a fault in tracing itself, which stops nothing. */
  readonly warn: (error: unknown) => void;
}

/** `source`, with a span for each message that it confirms. */
export function tracedSource(source: SourceQueue, { tracer, clock, warn }: RedriveSpansOptions): SourceQueue {
  const queue = tracedQueue(source.url);
  const attributes = operation(queue, MESSAGING_OPERATION_TYPE_VALUE_SEND);
  const tell = (message: OutgoingMessage, id: string, startTime: number, batch: number): void => {
    const { body, attributes: carried = {}, traceHeader } = message;
    const { parent, producers, earlier } = tracesOf({ body, attributes: carried, traceHeader });
    const span = tracer.startSpan(
      `send ${queue.name}`,
      {
        kind: SpanKind.PRODUCER,
        startTime,
        links: [...producers, ...(earlier === undefined ? [] : [earlier])].map(linkTo),
        attributes: {
          ...attributes,
          [ATTR_MESSAGING_MESSAGE_ID]: id,
          [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: batch,
          'ota_updater.redrive': true,
        },
      },
      contextBelow(parent),
    );
    span.end(clock.wall());
  };
  return {
    url: source.url,
    attributes: () => source.attributes(),
    sendForIds: async (messages) => {
      const startedAt = clock.wall();
      const answer = await source.sendForIds(messages);
      try {
        for (const message of messages) {
          const id = answer.messageIds.get(message.key);
          if (id !== undefined) tell(message, id, startedAt, messages.length);
        }
      } catch (error) {
        warn(error);
      }
      return answer;
    },
  };
}
