/** Worker events as log lines: what the operator greps for. */
import type { Failure } from '../message/failure.ts';
import type { Subject, WorkerEvent, WorkerListener } from '../worker/events.ts';
import { describeError } from './errors.ts';
import type { Logger } from './logger.ts';

type Settled = Extract<WorkerEvent, { type: 'settled' }>;

/** A listener that writes a line for each event that is worth one. */
export function logEvents(log: Logger): WorkerListener {
  return (event) => {
    switch (event.type) {
      case 'state':
        log.info({ event: `worker.${event.state}` }, `worker ${event.state}`);
        break;
      case 'received':
        log.debug(
          { event: 'received', count: event.count, durationMs: round(event.durationMs) },
          'messages received',
        );
        break;
      case 'attempt':
        logAttempt(log, event);
        break;
      case 'settled':
        logSettled(log, event);
        break;
      case 'receive-failed':
        log.warn(
          { event: 'receive.failed', error: describeError(event.error), retryInMs: round(event.retryInMs) },
          'cannot receive from the queue',
        );
        break;
      case 'receive-recovered':
        log.info({ event: 'receive.recovered' }, 'receiving again');
        break;
      case 'queues-unresolved':
        log.error(
          {
            event: 'queue.unresolved',
            queueUrl: withoutPassword(event.queueUrl),
            error: describeError(event.error),
            retryInMs: round(event.retryInMs),
          },
          'cannot find the queue; nothing is received until it is found',
        );
        break;
      case 'queue-assumed':
        log.warn(
          {
            event: 'queue.assumed',
            queueUrl: withoutPassword(event.queueUrl),
            error: describeError(event.error),
          },
          "may not read the queue's attributes (sqs:GetQueueAttributes): assuming a retention of 4 days and 1 MiB messages",
        );
        break;
      case 'lease-lost':
        log.warn(
          { event: 'lease.lost', ...about(event.subject), reason: event.reason },
          'lease lost: the message is forgotten here and will be delivered again',
        );
        break;
      case 'settle-failed':
        log.warn(
          {
            event: 'settle.failed',
            request: event.request,
            count: event.count,
            error: describeError(event.error),
          },
          `SQS did not ${event.request}; trying again`,
        );
        break;
      case 'letter-refused':
        log.error(
          { event: 'dead_letter.refused', ...about(event.subject), error: describeError(event.error) },
          'the dead-letter queue refuses this letter: it is kept and tried again; see MaximumMessageSize',
        );
        break;
      case 'dead-letter-queue':
        if (event.reachable)
          log.info({ event: 'dead_letter_queue.reachable' }, 'the dead-letter queue takes letters again');
        else {
          log.error(
            { event: 'dead_letter_queue.unreachable', error: describeError(event.error) },
            'the dead-letter queue does not take letters: receiving is stopped, letters are kept and tried again',
          );
        }
        break;
      case 'outcome-refused':
        log.error(
          { event: 'outcome.refused', ...about(event.subject), error: describeError(event.error) },
          'the outcome queue refuses this outcome: it is kept and tried again; see MaximumMessageSize',
        );
        break;
      case 'outcome-queue':
        if (event.reachable)
          log.info({ event: 'outcome_queue.reachable' }, 'the outcome queue takes outcomes again');
        else {
          log.error(
            { event: 'outcome_queue.unreachable', error: describeError(event.error) },
            'the outcome queue does not take outcomes: receiving is stopped, results are kept and tried again',
          );
        }
        break;
      case 'rate-budget':
        if (event.shared) log.info({ event: 'rate_budget.shared' }, 'the rate is shared through Redis');
        else {
          log.warn(
            { event: 'rate_budget.alone', error: describeError(event.reason) },
            'cannot share the rate through Redis: going on at the share held so far, and coming back when Redis does',
          );
        }
        break;
      case 'newest-memory':
        if (event.shared)
          log.info({ event: 'newest.shared' }, 'what is newest is remembered with the other workers');
        else {
          log.warn(
            { event: 'newest.alone', error: describeError(event.reason) },
            'cannot share through Redis what is newest: going on by what this worker remembers, and coming back when Redis does',
          );
        }
        break;
      case 'gate':
        logGate(log, event);
        break;
    }
  };
}

function logAttempt(log: Logger, event: Extract<WorkerEvent, { type: 'attempt' }>): void {
  const { failure } = event;
  if (failure === undefined) return;
  // Spares the work where the line would not be written.
  if (failure.kind !== 'internal' && !log.isLevelEnabled(failure.kind === 'throttled' ? 'debug' : 'info'))
    return;
  const line = {
    event: 'call.failed',
    ...about(event.subject),
    attempt: event.attempt,
    ...failed(failure),
    durationMs: round(event.durationMs),
  };
  if (failure.kind === 'internal')
    log.error({ ...line, stack: failure.stack }, 'a bug of ours: please report it');
  else if (failure.kind === 'throttled') log.debug(line, 'throttled');
  else log.info(line, 'call failed');
}

function logSettled(log: Logger, event: Settled): void {
  const { disposition, subject, attempts, failure, deadLetter } = event;
  if (disposition.action === 'acknowledge' && event.superseded !== undefined) {
    const { fields, decidedAt } = event.superseded;
    const line = {
      ...about(subject),
      attempts,
      fields,
      decidedAt: new Date(decidedAt).toISOString(),
      dwellMs: event.dwellMs,
    };
    if (disposition.outcome === 'superseded')
      log.info({ event: 'superseded', ...line }, 'superseded: newer values had been applied');
    else log.info({ event: 'applied.in_part', ...line }, 'applied without the fields that have newer values');
    return;
  }
  if (disposition.action === 'acknowledge' || disposition.action === 'release') {
    if (!log.isLevelEnabled('debug')) return;
    const name = disposition.action === 'acknowledge' ? 'applied' : 'released';
    log.debug({ event: name, ...about(subject), attempts, dwellMs: event.dwellMs }, name);
    return;
  }
  if (disposition.action === 'defer') {
    const line = {
      event: 'deferred',
      ...about(subject),
      attempts,
      seconds: disposition.seconds,
      ...(failure && failed(failure)),
    };
    log.warn(line, 'deferred');
    return;
  }
  log.error(
    {
      event: 'dead_letter',
      ...about(subject),
      reason: disposition.reason,
      attempts,
      status: disposition.error.status,
      errorName: disposition.error.name,
      errorMessage: disposition.error.message,
      awsRequestId: disposition.error.requestId,
      dwellMs: event.dwellMs,
      // The whole record, also where the letter itself had no room for it.
      record: deadLetter?.record,
      recordFit: deadLetter?.fit,
      replacedRecord: deadLetter?.replaced,
    },
    'dead-lettered',
  );
}

const gateLines = {
  outage: 'the API is failing for all: calls are paused but for probes, nothing is dead-lettered for it',
  denied:
    'the API denies everything (a policy revoked?): calls are paused but for probes, messages are released',
  misconfigured: 'our credentials, clock or set-up are refused: calls are paused but for probes',
} as const;

function logGate(log: Logger, { change }: Extract<WorkerEvent, { type: 'gate' }>): void {
  const line = {
    event: `gate.${change.to}`,
    from: change.from,
    ...(change.failure && failed(change.failure)),
  };
  if (change.to === 'open') log.info(line, 'calls go on');
  else log.error(line, gateLines[change.to]);
}

function about({ message, ids }: Subject): Record<string, unknown> {
  return {
    identifier: ids.identifier,
    jobId: ids.jobId,
    requestId: ids.requestId,
    messageId: message.messageId,
    receiveCount: message.receiveCount,
  };
}

function failed(failure: Failure): Record<string, unknown> {
  return {
    failure: failure.kind,
    status: failure.status,
    errorName: failure.name,
    errorMessage: failure.message,
    awsRequestId: failure.requestId,
  };
}

function round(ms: number): number {
  return Math.round(ms);
}

function withoutPassword(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? '' : `${parsed.origin}${parsed.pathname}`;
}
