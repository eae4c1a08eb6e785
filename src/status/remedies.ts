/** What to do for each condition of a worker: sentences without their full stop. PURE. */
import { gateReasons, notTheApi } from '../observe/health.ts';
import type { ConditionName } from '../worker/conditions.ts';

const REDIS =
  'see whether Redis at REDIS_URL runs and can be reached: work goes on meanwhile, and it is used again by itself';

const remedies: Readonly<Record<ConditionName | OtherCondition, string>> = {
  'finding-queues':
    'correct QUEUE_URL, DEAD_LETTER_QUEUE_URL or OUTCOME_QUEUE_URL, or create the queue: it goes on by itself',
  'queue-attributes': 'allow sqs:GetQueueAttributes on all queues',
  'same-queue': 'give each of the settings a queue of its own',
  receiving:
    'allow sqs:ReceiveMessage on the update queue, and kms:Decrypt with a key of your own: it goes on by itself',
  reading: 'look for a proxy between the worker and SQS that changes answers',
  'dead-lettering':
    'allow sqs:SendMessage on the dead-letter queue, and kms:GenerateDataKey and kms:Decrypt with a key of your own: it goes on by itself',
  publishing:
    'allow sqs:SendMessage on the outcome queue, and kms:GenerateDataKey and kms:Decrypt with a key of your own: it goes on by itself',
  deleting: 'allow sqs:DeleteMessage on the update queue: it goes on by itself',
  extending: 'allow sqs:ChangeMessageVisibility on the update queue: it goes on by itself',
  claims: 'see whether another worker hangs: what it has claimed becomes free when it ends',
  pacing: 'see whether the machine has a core to spare, and restart this worker if it does not end',
  throttled: 'ask AWS for a higher quota, or lower RATE_LIMIT: no update is lost by it',
  limits: 'correct LIMITS_FILE, or what is set in Redis: what was said last stays in force',
  'sharing-marks': REDIS,
  'sharing-rate': REDIS,
  starting: 'wait: it has just begun',
  draining: 'nothing: it ends what it holds, and takes nothing more',
  stopped: 'start it again, if it is to work',
  queues:
    'correct QUEUE_URL, DEAD_LETTER_QUEUE_URL or OUTCOME_QUEUE_URL, or create the queue: it goes on by itself',
  'held-calls': 'nothing: the API has named the time',
  'refused-letters': "raise MaximumMessageSize of the dead-letter queue; the worker's log names each letter",
  'refused-outcomes': "raise MaximumMessageSize of the outcome queue; the worker's log names each outcome",
  polling: 'restart this worker, and keep its log: its receive loop has ended',
  calling:
    "read the error in the worker's log; one call after the other is tried, and work goes on by itself",
};

type OtherCondition =
  | 'starting'
  | 'draining'
  | 'stopped'
  | 'queues'
  | 'held-calls'
  | 'refused-letters'
  | 'refused-outcomes'
  | 'polling'
  | 'calling';

/** For `calling`, by why calls are paused. */
const callsPaused: readonly (readonly [cause: string, remedy: string])[] = [
  [
    gateReasons.outage,
    "wait, or ask AWS with the awsRequestId of the worker's log: a call is tried every 5 s, and work goes on by itself",
  ],
  [
    gateReasons.unreachable,
    'look at the network, the proxy and the name of the API, as the error says: nothing was sent, and work goes on by itself',
  ],
  [
    gateReasons.denied,
    "allow iotmanagedintegrations:UpdateOtaTask on ota-task/* to the worker's role: work goes on by itself",
  ],
  [
    gateReasons.misconfigured,
    'renew the credentials, correct the region, or set the clock, as the error says: work goes on within a minute',
  ],
  [notTheApi, 'look for a proxy or a login page between the worker and the API: work goes on by itself'],
];

/** For a worker that does not answer, and for a ledger or a queue that cannot be read. */
export const askedInVain = 'see whether it runs, and whether WORKER_URLS has its address';
export const ledgerUnread =
  'see whether the PostgreSQL of LEDGER_URL runs and can be reached, or who holds the file in STATE_DIR: nothing is lost, and it is used again by itself';
export const ledgerLocked =
  'end the process that holds the file in STATE_DIR, if it does not let go by itself, or give a full disk room: nothing is lost, and changes are taken again by themselves';
export const queueUnread = 'run `check` with the settings of whoever has asked';

/** undefined: no remedy is known. @param condition as named by a worker of any version. */
export function remedyOf(condition: string, why: string): string | undefined {
  if (condition === 'calling') {
    const known = callsPaused.find(([cause]) => why.includes(cause));
    if (known !== undefined) return known[1];
  }
  return Object.hasOwn(remedies, condition) ? remedies[condition as keyof typeof remedies] : undefined;
}
