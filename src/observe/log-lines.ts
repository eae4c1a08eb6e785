/**
 * Every line of the worker's log: level, `event`, message, fields. Operators search for events and fields, so a changed
 * name must be in CHANGELOG.md. docs/reference/logs.md is generated from these tables.
 */
import { line } from './log-line.ts';

const update = [
  ...(['identifier', 'jobId', 'requestId', 'messageId', 'groupId', 'receiveCount'] as const),
  ...(['trace_id', 'span_id'] as const),
] as const;
const failure = ['failure', 'status', 'errorName', 'errorMessage', 'awsRequestId'] as const;
const call = [...update, ...failure, 'attempt', 'durationMs'] as const;
const ended = [...update, 'attempts', 'dwellMs'] as const;
const counts = ['applied', 'superseded', 'deadLettered', 'deferred', 'released'] as const;
const bound = ['of', 'from', 'to', 'source', 'set', 'holds', 'by', 'reason'] as const;
const calls = ['calls', 'throttled', 'failed'] as const;

/** The lines. An event with several lines is logged at a level that depends on the failure. */
export const logLines = {
  starting: line('info', 'worker.starting', 'worker starting', ['version']),
  running: line('info', 'worker.running', 'worker running'),
  draining: line('info', 'worker.draining', 'worker draining'),
  stopped: line('info', 'worker.stopped', 'worker stopped'),
  httpListening: line('info', 'http.listening', 'serving health and metrics', ['address']),
  healthUnavailable: line(
    'info',
    'health.unavailable',
    'the health check of the container cannot find this worker',
    ['error'],
  ),
  proxyUsed: line('info', 'proxy.used', 'requests to AWS go through a proxy', [
    'httpProxy',
    'httpsProxy',
    'noProxy',
  ]),
  tracingOn: line('info', 'tracing.on', 'spans are sent to a collector', ['address']),
  tracingIgnored: line('warn', 'tracing.setting_ignored', 'an OpenTelemetry variable cannot be used', [
    'of',
    'reason',
  ]),
  exportFailed: line(
    'warn',
    'tracing.export_failed',
    'spans do not reach the collector: they are dropped, and nothing else is affected',
    ['error'],
  ),
  exportRecovered: line('info', 'tracing.export_recovered', 'spans reach the collector again', [
    'durationMs',
  ]),
  linesLost: line('warn', 'log.lost', 'the log could not be written for a while: lines are missing', [
    'count',
  ]),
  summary: line('info', 'summary', 'the last 10 s', [
    ...counts,
    ...calls,
    'callErrors',
    'queueErrors',
    'held',
    'inFlight',
    'gate',
    'rate',
    'rateFound',
    'apiLimit',
    'rateCeiling',
    'rateBudget',
    'rateFleet',
    'conditions',
  ]),

  received: line('debug', 'received', 'messages received', ['count', 'durationMs']),
  messageLeft: line(
    'warn',
    'message.left',
    'a message did not arrive intact: it is left on the queue, and SQS delivers it again',
    ['queueUrl', 'messageId', 'reason'],
  ),
  messagesSpoiled: line(
    'error',
    'messages.spoiled',
    'none of the messages of a receive arrived intact: something changes the answers of SQS on the way',
    ['error'],
  ),
  messagesWhole: line(
    'info',
    'messages.whole',
    'messages arrive intact again, or no damaged one has arrived since',
    ['durationMs'],
  ),
  sentChecksumDiffers: line(
    'warn',
    'sent.checksum_differs',
    'a message was sent, but SQS answered with a different checksum: the message is on the queue and is not sent again',
    ['queueUrl', 'messageId'],
  ),
  receiveFailed: line('warn', 'receive.failed', 'cannot receive from the queue; trying again', ['error']),
  receiveRetrying: line('debug', 'receive.retrying', 'a receive failed', ['error', 'retryInMs']),
  receiveRecovered: line('info', 'receive.recovered', 'receiving again', ['durationMs']),
  queueUnresolved: line(
    'error',
    'queue.unresolved',
    'cannot find the queue; a worker that starts receives nothing until it is found',
    ['of', 'error'],
  ),
  queueFound: line('info', 'queue.found', 'the queue was found', ['of', 'durationMs']),
  queueAssumed: line(
    'warn',
    'queue.assumed',
    "no permission to read the queue's attributes (sqs:GetQueueAttributes): using the last known ones, or else assuming a retention of 4 days and 1 MiB messages",
    ['of', 'error'],
  ),
  queueKnown: line('info', 'queue.known', "the queue's attributes can be read again", ['of', 'durationMs']),
  queueChanged: line(
    'warn',
    'queue.changed',
    'attributes of the queue have changed, or differ from what was assumed; the worker uses the new ones',
    ['of', 'changes'],
  ),
  queueSame: line('error', 'queue.same', 'two settings name the same queue: receiving is stopped', [
    'of',
    'error',
  ]),
  queueDistinct: line('info', 'queue.distinct', 'each setting names a different queue again', [
    'of',
    'durationMs',
  ]),
  leaseLost: line(
    'warn',
    'lease.lost',
    'lease lost: the message is dropped here and will be delivered again',
    [...update, 'reason'],
  ),

  callFailed: line('debug', 'call.failed', 'call failed', call),
  callCrashed: line('error', 'call.failed', 'a bug in ota-updater: please report it', [...call, 'stack']),
  crashed: line('error', 'message.crashed', 'a bug in ota-updater: please report it', [
    ...update,
    'errorName',
    'errorMessage',
    'stack',
  ]),

  applied: line('debug', 'applied', 'applied', ended),
  appliedAfterAll: line('info', 'applied', 'applied, after earlier calls or deliveries', ended),
  appliedInPart: line('info', 'applied.in_part', 'applied without the fields that have newer values', [
    ...ended,
    'fields',
    'decidedAt',
  ]),
  superseded: line('info', 'superseded', 'superseded: newer values of all its fields were applied before', [
    ...ended,
    'fields',
    'decidedAt',
  ]),
  released: line('debug', 'released', 'released', ended),
  deferred: line('info', 'deferred', 'deferred: SQS delivers it again', [
    ...update,
    'attempts',
    'delivery',
    'seconds',
    'visibleAt',
    ...failure,
  ]),
  deadLetter: line('error', 'dead_letter', 'dead-lettered', [
    ...update,
    'reason',
    'attempts',
    'status',
    'errorName',
    'errorMessage',
    'awsRequestId',
    'dwellMs',
    'record',
    'recordFit',
    'replacedRecord',
  ]),
  settleFailed: line(
    'warn',
    'settle.failed',
    'a message could not be settled, or a queue could not be looked at',
    ['request', 'count', 'error'],
  ),
  settleRetrying: line(
    'debug',
    'settle.retrying',
    'SQS did not carry out a request, or part of it; retrying',
    ['request', 'count', 'error'],
  ),
  deleteFailed: line(
    'error',
    'delete.failed',
    'SQS does not delete messages: receiving is stopped, finished messages are kept and their deletion is retried',
    ['error'],
  ),
  deleteRecovered: line('info', 'delete.recovered', 'SQS deletes messages again', ['durationMs']),
  extendFailed: line(
    'error',
    'extend.failed',
    'SQS does not extend leases: no call begins if it may outlast its lease, and nothing is received if every call may',
    ['error'],
  ),
  extendRecovered: line('info', 'extend.recovered', 'SQS extends leases again', ['durationMs']),

  letterRefused: line(
    'error',
    'dead_letter.refused',
    'the dead-letter queue refuses this letter (see its MaximumMessageSize); keeping the message and retrying',
    [...update, 'error'],
  ),
  deadLetterQueueReachable: line(
    'info',
    'dead_letter_queue.reachable',
    'the dead-letter queue accepts letters again',
    ['durationMs'],
  ),
  deadLetterQueueUnreachable: line(
    'error',
    'dead_letter_queue.unreachable',
    'the dead-letter queue does not accept letters: receiving is stopped, messages are kept and retried',
    ['error'],
  ),
  outcomeRefused: line(
    'error',
    'outcome.refused',
    'the outcome queue refuses this outcome (see its MaximumMessageSize); keeping it and retrying',
    [...update, 'error'],
  ),
  outcomeQueueReachable: line('info', 'outcome_queue.reachable', 'the outcome queue accepts outcomes again', [
    'durationMs',
  ]),
  outcomeQueueUnreachable: line(
    'error',
    'outcome_queue.unreachable',
    'the outcome queue does not accept outcomes: receiving is stopped, outcomes are kept and retried',
    ['error'],
  ),

  gateOpen: line('info', 'gate.open', 'calls resume', ['from']),
  gateOutage: line(
    'error',
    'gate.outage',
    'API outage: calls are paused except for probes, and nothing is dead-lettered because of it',
    ['from', ...failure],
  ),
  gateUnreachable: line(
    'error',
    'gate.unreachable',
    'cannot connect to the API: calls are paused except for probes, and nothing is dead-lettered because of it',
    ['from', ...failure],
  ),
  gateDenied: line(
    'error',
    'gate.denied',
    'the API denies one call after another (a revoked policy?): single calls find out which updates are permitted, messages are released',
    ['from', ...failure],
  ),
  gateMisconfigured: line(
    'error',
    'gate.misconfigured',
    "this worker's credentials, clock or configuration are refused: calls are paused except for probes",
    ['from', ...failure],
  ),

  callsHeld: line(
    'info',
    'calls.held',
    'the API has told several throttled calls in a row when to retry: all calls wait until then',
    ['retryInMs', ...failure],
  ),
  callsResumed: line('info', 'calls.resumed', 'calls are no longer held', ['durationMs', 'reason']),

  permitsOverdue: line(
    'error',
    'permits.overdue',
    'calls are due, but the rate limiter has given no permit for a long time',
    ['error'],
  ),
  permitsCome: line('info', 'permits.given', 'the rate limiter gives permits again', ['durationMs']),
  rateLow: line(
    'warn',
    'rate.low',
    'for a minute the API has accepted fewer than half of the calls that RATE_LIMIT allows: lower RATE_LIMIT, or see who else calls the API',
    ['error'],
  ),
  rateRecovered: line('info', 'rate.recovered', 'the API accepts half of RATE_LIMIT or more again', [
    'durationMs',
  ]),
  limitFound: line('info', 'rate.limit_found', 'the limit of the API has been found, or has changed', [
    'apiLimit',
    'within',
    'since',
    'periodSeconds',
    'noise',
  ]),
  rateRemembered: line(
    'info',
    'rate.remembered',
    'calls begin slightly below the rate that an earlier worker found',
    ['rate', 'remembered', 'age'],
  ),
  rateTooOld: line('info', 'rate.not_remembered', 'the rate that an earlier worker found is too old', [
    'file',
    'age',
  ]),
  rateForgotten: line(
    'warn',
    'rate.not_remembered',
    'the stored rate of an earlier worker cannot be used: calls begin at RATE_LIMIT',
    ['file', 'error'],
  ),
  rateNotKept: line(
    'info',
    'rate.not_kept',
    'the rate that was found cannot be kept in STATE_DIR: the next start begins at RATE_LIMIT',
    ['error'],
  ),
  rateShared: line('info', 'rate_budget.shared', 'sharing one rate budget through Redis', ['durationMs']),
  fleetLed: line('info', 'rate_fleet.leading', 'finding the rate for all workers from now on', ['rate']),
  fleetFollowed: line(
    'info',
    'rate_fleet.following',
    'using the rate that another worker finds for all workers',
    ['rate'],
  ),
  rateAlone: line(
    'warn',
    'rate_budget.alone',
    "cannot share the rate budget through Redis: using this worker's part of it until Redis answers again",
    ['error'],
  ),
  limitChanged: line('warn', 'limit.changed', 'a limit on calls has changed while the worker runs', bound),
  limitSet: line(
    'info',
    'limit.set',
    'a source of limits has changed, but the limit in force stays the same, because the lowest one applies',
    bound,
  ),
  limitsUnread: line(
    'error',
    'limits.unread',
    'a source of limits cannot be read or understood: its last limits stay in force',
    ['of', 'error'],
  ),
  limitsRead: line('info', 'limits.read', 'the source of limits can be read again', ['of', 'durationMs']),
  claimsStuck: line(
    'error',
    'claims.stuck',
    'claims of other workers are not released: messages that wait for them are deferred',
    ['error'],
  ),
  claimsFree: line('info', 'claims.free', 'claims of other workers are released again', ['durationMs']),
  newestForeign: line(
    'warn',
    'newest.foreign',
    'a key in Redis holds a value that no worker writes: it is ignored and replaced later; logged for the first key only',
    ['identifier', 'what'],
  ),
  newestShared: line('info', 'newest.shared', 'sharing the newest-wins marks through Redis', ['durationMs']),
  newestAlone: line(
    'warn',
    'newest.alone',
    "cannot share the newest-wins marks through Redis: using this worker's own until Redis answers again",
    ['error'],
  ),
} as const;
