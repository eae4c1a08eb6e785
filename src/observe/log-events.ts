/** Worker events as log lines. */
import type { BoundChange } from '../limits/bounds.ts';
import type { Failure } from '../message/failure.ts';
import { printableUrl } from '../text/urls.ts';
import { version } from '../version.ts';
import type { ConditionEvent, ConditionName } from '../worker/conditions.ts';
import type { SettleRequest, Subject, WorkerEvent, WorkerListener } from '../worker/events.ts';
import { describeError } from './errors.ts';
import type { LogField } from './log-fields.ts';
import type { LogLine } from './log-line.ts';
import { logLines } from './log-lines.ts';
import type { Logger } from './logger.ts';

/** A listener that logs each event, except successful calls. */
export function logEvents(log: Logger): WorkerListener {
  // Messages with a failure logged above debug level: their success is then also logged at such a level.
  const told = new WeakSet<Subject['message']>();
  return (event) => {
    switch (event.type) {
      case 'state':
        if (event.state === 'starting') writeLine(log, logLines.starting, () => ({ version }));
        else writeLine(log, logLines[event.state]);
        break;
      case 'received':
        writeLine(log, logLines.received, () => ({
          count: event.count,
          durationMs: Math.round(event.durationMs),
        }));
        break;
      case 'attempt':
        logAttempt(log, event);
        break;
      case 'settled':
        logSettled(log, event, told.has(event.subject.message));
        break;
      case 'message-left':
        writeLine(log, logLines.messageLeft, () => ({
          queueUrl: printableUrl(event.queueUrl),
          messageId: event.messageId,
          reason: event.reason,
        }));
        break;
      case 'sent-checksum-differs':
        writeLine(log, logLines.sentChecksumDiffers, () => ({
          queueUrl: printableUrl(event.queueUrl),
          messageId: event.messageId,
        }));
        break;
      case 'receive-failed':
        writeLine(log, logLines.receiveRetrying, () => ({
          error: describeError(event.error),
          retryInMs: Math.round(event.retryInMs),
        }));
        break;
      case 'condition':
        logCondition(log, event);
        break;
      case 'queue-changed':
        writeLine(log, logLines.queueChanged, () => ({ of: event.setting, changes: event.changes }));
        break;
      case 'crashed':
        writeLine(log, logLines.crashed, () => ({
          ...about(event.subject),
          errorName: event.failure.name,
          errorMessage: event.failure.message,
          stack: event.failure.stack,
        }));
        break;
      case 'lease-lost':
        writeLine(log, logLines.leaseLost, () => ({ ...about(event.subject), reason: event.reason }));
        break;
      case 'settle-failed':
        writeLine(log, settleLine(event.request), () => ({
          request: event.request,
          count: event.count,
          error: describeError(event.error),
        }));
        break;
      case 'letter-refused':
        logRefused(log, logLines.letterRefused, event);
        break;
      case 'outcome-refused':
        told.add(event.subject.message);
        logRefused(log, logLines.outcomeRefused, event);
        break;
      case 'shared':
        writeLine(log, conditionLines[event.condition][1], () => ({ durationMs: undefined }));
        break;
      case 'fleet': {
        const { role, rate } = event;
        writeLine(log, role === 'leading' ? logLines.fleetLed : logLines.fleetFollowed, () => ({ rate }));
        break;
      }
      case 'newest-foreign':
        writeLine(log, logLines.newestForeign, () => ({ identifier: event.identifier, what: event.what }));
        break;
      case 'gate':
        logGate(log, event.change);
        break;
      case 'hold':
        logHold(log, event);
        break;
      case 'bound':
        logBound(log, event.change);
        break;
    }
  };
}

/** Requests that are retried have a condition, which reports them once. */
function settleLine(request: SettleRequest): typeof logLines.settleFailed {
  const reported: readonly SettleRequest[] = ['settle', 'take', 'sweep'];
  return reported.includes(request) ? logLines.settleFailed : logLines.settleRetrying;
}

/** The lines for raising and for clearing a condition. */
const conditionLines = {
  'finding-queues': [logLines.queueUnresolved, logLines.queueFound],
  'queue-attributes': [logLines.queueAssumed, logLines.queueKnown],
  'same-queue': [logLines.queueSame, logLines.queueDistinct],
  receiving: [logLines.receiveFailed, logLines.receiveRecovered],
  reading: [logLines.messagesSpoiled, logLines.messagesWhole],
  'dead-lettering': [logLines.deadLetterQueueUnreachable, logLines.deadLetterQueueReachable],
  publishing: [logLines.outcomeQueueUnreachable, logLines.outcomeQueueReachable],
  deleting: [logLines.deleteFailed, logLines.deleteRecovered],
  extending: [logLines.extendFailed, logLines.extendRecovered],
  claims: [logLines.claimsStuck, logLines.claimsFree],
  pacing: [logLines.permitsOverdue, logLines.permitsCome],
  throttled: [logLines.rateLow, logLines.rateRecovered],
  limits: [logLines.limitsUnread, logLines.limitsRead],
  'sharing-marks': [logLines.newestAlone, logLines.newestShared],
  'sharing-rate': [logLines.rateAlone, logLines.rateShared],
} as const satisfies Readonly<
  Record<ConditionName, readonly [LogLine<'of' | 'error'>, LogLine<'of' | 'durationMs'>]>
>;

function logCondition(log: Logger, event: ConditionEvent): void {
  const [raised, cleared] = conditionLines[event.condition];
  if (event.raised) {
    const { error } = event;
    writeLine(log, raised, () => ({
      of: event.of,
      error: error === undefined ? undefined : describeError(error),
    }));
  } else {
    writeLine(log, cleared, () => ({ of: event.of, durationMs: Math.round(event.durationMs) }));
  }
}

function logRefused(
  log: Logger,
  line: typeof logLines.letterRefused,
  { subject, error }: { readonly subject: Subject; readonly error: unknown },
): void {
  writeLine(log, line, () => ({ ...about(subject), error: describeError(error) }));
}

function logAttempt(log: Logger, event: Extract<WorkerEvent, { type: 'attempt' }>): void {
  const { failure } = event;
  if (failure === undefined) return;
  const fields = () => ({
    ...about(event.subject),
    ...failed(failure),
    attempt: event.attempt,
    durationMs: Math.round(event.durationMs),
  });
  if (failure.kind === 'internal')
    writeLine(log, logLines.callCrashed, () => ({ ...fields(), stack: failure.stack }));
  else writeLine(log, logLines.callFailed, fields);
}

function logSettled(log: Logger, event: Extract<WorkerEvent, { type: 'settled' }>, hasFailed: boolean): void {
  const { disposition, subject, attempts, dwellMs, superseded, deadLetter, deferral } = event;
  const settled = () => ({ ...about(subject), attempts, dwellMs });
  switch (disposition.action) {
    case 'acknowledge': {
      if (superseded === undefined) {
        // A failed attempt or an earlier delivery counts as a failure that was overcome.
        const before = hasFailed || attempts > 1 || subject.message.receiveCount > 1;
        writeLine(log, before ? logLines.appliedAfterAll : logLines.applied, settled);
        break;
      }
      const line = disposition.outcome === 'superseded' ? logLines.superseded : logLines.appliedInPart;
      writeLine(log, line, () => ({
        ...settled(),
        fields: superseded.fields,
        decidedAt: new Date(superseded.decidedAt).toISOString(),
      }));
      break;
    }
    case 'release':
      writeLine(log, logLines.released, settled);
      break;
    case 'defer':
      writeLine(log, logLines.deferred, () => ({
        ...about(subject),
        attempts,
        delivery: deferral && `${deferral.counted} of ${deferral.most}`,
        seconds: disposition.seconds,
        visibleAt: deferral && new Date(deferral.visibleAt).toISOString(),
        ...failed(event.failure),
      }));
      break;
    case 'dead-letter':
      writeLine(log, logLines.deadLetter, () => ({
        ...settled(),
        reason: disposition.reason,
        status: disposition.error.status,
        errorName: disposition.error.name,
        errorMessage: disposition.error.message,
        awsRequestId: disposition.error.requestId,
        record: deadLetter?.record,
        recordFit: deadLetter?.fit,
        replacedRecord: deadLetter?.replaced,
      }));
      break;
  }
}

const gateLines = {
  outage: logLines.gateOutage,
  unreachable: logLines.gateUnreachable,
  denied: logLines.gateDenied,
  misconfigured: logLines.gateMisconfigured,
} as const;

function logGate(log: Logger, { from, to, failure }: Extract<WorkerEvent, { type: 'gate' }>['change']): void {
  if (to === 'open') writeLine(log, logLines.gateOpen, () => ({ from }));
  else writeLine(log, gateLines[to], () => ({ from, ...failed(failure) }));
}

const holdEnds = { time: 'its time has come', accepted: 'a later call was accepted' } as const;

function logHold(log: Logger, { change }: Extract<WorkerEvent, { type: 'hold' }>): void {
  if (change.held)
    writeLine(log, logLines.callsHeld, () => ({
      retryInMs: Math.round(change.forMs),
      ...failed(change.failure),
    }));
  else
    writeLine(log, logLines.callsResumed, () => ({
      durationMs: Math.round(change.to - change.from),
      reason: holdEnds[change.because],
    }));
}

const settings = { rate: 'RATE_LIMIT', concurrency: 'MAX_CONCURRENCY' } as const;

function logBound(log: Logger, { bound, source, set, by, reason, from, to, holds }: BoundChange): void {
  const shown = (value: number): number | 'unlimited' => (Number.isFinite(value) ? value : 'unlimited');
  writeLine(log, from === to ? logLines.limitSet : logLines.limitChanged, () => ({
    of: settings[bound],
    from: shown(from),
    to: shown(to),
    source,
    set: set === undefined ? 'none' : shown(set),
    holds,
    by,
    reason,
  }));
}

function about({ message, ids, trace }: Subject) {
  return {
    identifier: ids.identifier,
    jobId: ids.jobId,
    requestId: ids.requestId,
    messageId: message.messageId,
    groupId: message.groupId,
    receiveCount: message.receiveCount,
    trace_id: trace?.ids.traceId,
    span_id: trace?.ids.spanId,
  };
}

function failed(failure: Failure | undefined) {
  return {
    failure: failure?.kind,
    status: failure?.status,
    errorName: failure?.name,
    errorMessage: failure?.message,
    awsRequestId: failure?.requestId,
  };
}

/** Writes a line. `fields` is called only if the level is enabled. */
export function writeLine<Field extends LogField>(
  log: Logger,
  { level, event, message }: LogLine<Field>,
  ...[fields]: [Field] extends [never] ? [] : [() => Readonly<Record<Field, unknown>>]
): void {
  if (log.isLevelEnabled(level)) log[level]({ event, ...fields?.() }, message);
}
