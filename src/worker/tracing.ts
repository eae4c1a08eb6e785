/**
 * What the worker tells of its work for spans. Without tracing there is none of this: nobody is asked, and nothing is made.
 * What implements it never throws, and does no work that a message would wait for.
 */
import type { Disposition } from '../message/disposition.ts';
import type { Failure } from '../message/failure.ts';
import type { Message } from '../message/message.ts';
import type { UpdateIds } from '../message/update.ts';
import type { Attempt } from '../ota/call.ts';

/** The ids of a span, as the log and traces in other systems show them. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

export interface Tracing {
  /** One receive brought these messages, and took so many milliseconds. */
  received(messages: readonly Message[], durationMs: number): void;
  /** A delivery begins; undefined when it is not to be traced. */
  begin(message: Message): DeliveryTrace | undefined;
}

/** What is asked of SQS on the way of a message. */
export type QueueStep = 'dead-letter' | 'outcome' | 'delete' | 'change visibility';

/** How a delivery was settled. */
export interface DeliveryEnd {
  readonly disposition: Disposition;
  readonly ids: UpdateIds;
  readonly attempts: number;
  /** The last one, where there was one. */
  readonly failure: Failure | undefined;
}

/** The span of one delivery, and those in it. */
export interface DeliveryTrace {
  readonly ids: SpanIds;
  /** The span as a message carries it. */
  readonly traceparent: string;
  /** A call has ended: the attempt of this number, from 1. */
  called(attempt: Attempt, number: number): void;
  /** A step begins. @returns to be called once with its end: why it failed, or undefined. */
  step(name: QueueStep): (failure?: string) => void;
  /** It is settled. */
  settled(end: DeliveryEnd): void;
  /** The lease is lost. */
  lost(reason: string): void;
  /** The delivery is over. To be called once, and last. */
  end(): void;
}
