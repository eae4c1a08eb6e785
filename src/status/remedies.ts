/** What to do for each condition of a worker: sentences without their full stop. PURE. */
import { gateReasons, notTheApi } from '../observe/health.ts';
import type { ConditionName } from '../worker/conditions.ts';

const REDIS =
  'check that Redis at REDIS_URL runs and can be reached: work continues meanwhile, and Redis is used again by itself';

const remedies: Readonly<Record<ConditionName | OtherCondition, string>> = {
  'finding-queues':
    'correct QUEUE_URL, DEAD_LETTER_QUEUE_URL or OUTCOME_QUEUE_URL, or create the queue: the worker then continues by itself',
  'queue-attributes': 'allow sqs:GetQueueAttributes on all queues',
  'same-queue': 'give each of the settings a different queue',
  receiving:
    'allow sqs:ReceiveMessage on the update queue, and kms:Decrypt with a key of your own: the worker then continues by itself',
  reading: 'look for a proxy between the worker and SQS that changes answers',
  'dead-lettering':
    'allow sqs:SendMessage on the dead-letter queue, and kms:GenerateDataKey and kms:Decrypt with a key of your own: the worker then continues by itself',
  publishing:
    'allow sqs:SendMessage on the outcome queue, and kms:GenerateDataKey and kms:Decrypt with a key of your own: the worker then continues by itself',
  deleting: 'allow sqs:DeleteMessage on the update queue: the worker then continues by itself',
  extending: 'allow sqs:ChangeMessageVisibility on the update queue: the worker then continues by itself',
  claims: 'check whether another worker hangs: its claims are released when it ends',
  pacing: 'check that the machine has a CPU core to spare, and restart this worker if this goes on',
  throttled: 'ask AWS for a higher quota, or lower RATE_LIMIT: no update is lost',
  limits: 'correct LIMITS_FILE, or the limits set in Redis: the last valid limits stay in force',
  'sharing-marks': REDIS,
  'sharing-rate': REDIS,
  starting: 'wait: the worker has just started',
  draining: 'nothing: the worker finishes what it holds, and takes nothing more',
  stopped: 'start the worker again if it is needed',
  queues:
    'correct QUEUE_URL, DEAD_LETTER_QUEUE_URL or OUTCOME_QUEUE_URL, or create the queue: the worker then continues by itself',
  'held-calls': 'nothing: calls resume at the time that the API has named',
  'refused-letters': "raise MaximumMessageSize of the dead-letter queue; the worker's log names each letter",
  'refused-outcomes': "raise MaximumMessageSize of the outcome queue; the worker's log names each outcome",
  polling: 'restart this worker, and keep its log: its receive loop has ended',
  calling: "read the error in the worker's log; single calls are tried, and work continues by itself",
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
    "wait, or ask AWS with the awsRequestId of the worker's log: a call is tried every 5 s, and work continues by itself",
  ],
  [
    gateReasons.unreachable,
    'check the network, the proxy and the host name of the API, as the error says: nothing was sent, and work continues by itself',
  ],
  [
    gateReasons.denied,
    "allow iotmanagedintegrations:UpdateOtaTask on ota-task/* to the worker's role: work then continues by itself",
  ],
  [
    gateReasons.misconfigured,
    'renew the credentials, correct the region, or set the clock, as the error says: work then continues within a minute',
  ],
  [
    notTheApi,
    'look for a proxy or a login page between the worker and the API: work then continues by itself',
  ],
];

/** For a worker that does not answer, and for a ledger or a queue that cannot be read. */
export const askedInVain = 'check that it runs, and that WORKER_URLS has its address';
export const ledgerUnread =
  'check that the PostgreSQL of LEDGER_URL runs and can be reached, or which process holds the file in STATE_DIR: nothing is lost, and the ledger is used again by itself';
export const ledgerLocked =
  'end the process that holds the file in STATE_DIR, if it does not release it by itself, or free space on a full disk: nothing is lost, and changes are accepted again by themselves';
export const queueUnread = 'run `check` with the settings of the process that asked';

/** undefined: no remedy is known. @param condition as named by a worker of any version. */
export function remedyOf(condition: string, why: string): string | undefined {
  if (condition === 'calling') {
    const known = callsPaused.find(([cause]) => why.includes(cause));
    if (known !== undefined) return known[1];
  }
  return Object.hasOwn(remedies, condition) ? remedies[condition as keyof typeof remedies] : undefined;
}
