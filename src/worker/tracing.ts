/**
 * What the worker reports for spans. With tracing off, none of this is called or created. An implementation must never
 * throw, nor do work that a message would wait for.
 */
import type { Disposition } from '../message/disposition.ts';
import type { Failure } from '../message/failure.ts';
import type { Message } from '../message/message.ts';
import type { UpdateIds } from '../message/update.ts';
import type { Attempt } from '../ota/call.ts';

/** The ids of a span, as the log and the traces in other systems show them. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

export interface Tracing {
  /** One receive brought these messages, and took `durationMs` milliseconds. */
  received(messages: readonly Message[], durationMs: number): void;
  /** A delivery begins. @returns undefined when it is not traced. */
  begin(message: Message): DeliveryTrace | undefined;
}

/** A request to SQS during a delivery. */
export type QueueStep = 'dead-letter' | 'outcome' | 'delete' | 'change visibility';

/** How a delivery was settled. */
export interface DeliveryEnd {
  readonly disposition: Disposition;
  readonly ids: UpdateIds;
  readonly attempts: number;
  /** The failure of the last call, if any. */
  readonly failure: Failure | undefined;
}

/** The span of one delivery, and the spans inside it. */
export interface DeliveryTrace {
  readonly ids: SpanIds;
  /** The span in the form that a message carries. */
  readonly traceparent: string;
  /** A call has ended: attempt `number`, from 1. */
  called(attempt: Attempt, number: number): void;
  /** A step begins. @returns a function to call once when it ends: with the reason if it failed, else with undefined. */
  step(name: QueueStep): (failure?: string) => void;
  /** The delivery is settled. */
  settled(end: DeliveryEnd): void;
  /** The lease is lost. */
  lost(reason: string): void;
  /** The delivery is over. Must be called once, and last. */
  end(): void;
}
