/** Rules about access to the queues: each exists, its settings may be read, and it is in the region of the signatures. */

import type { SqsErrorKind } from '../queue/errors.ts';
import { duration } from '../text/times.ts';
import { printableUrl } from '../text/urls.ts';
import type { QueueFacts, QueueRole } from './facts.ts';
import type { Finding, Rule, RuleName } from './finding.ts';

/** The variable that names each queue. */
export const queueVariables: Readonly<Record<QueueRole, string>> = {
  source: 'QUEUE_URL',
  'dead-letter': 'DEAD_LETTER_QUEUE_URL',
  outcome: 'OUTCOME_QUEUE_URL',
};

interface ReadFault {
  readonly rule: RuleName;
  readonly what: string;
  readonly fix: string;
}

const otherFault: ReadFault = {
  rule: 'queue-unreadable',
  what: 'its settings could not be read',
  fix: 'see the error of SQS',
};

const credentialsFault: ReadFault = {
  rule: 'queue-credentials',
  what: 'SQS does not accept the credentials',
  fix: 'renew the credentials; see also the findings on region and clock',
};

/** Why a queue could not be read, by what the error says. */
const readFaults: Readonly<Partial<Record<SqsErrorKind, ReadFault>>> = {
  missing: {
    rule: 'queue-missing',
    what: 'there is no such queue',
    fix: 'correct account, region and name in the URL, or create the queue',
  },
  denied: {
    rule: 'queue-permission',
    what: 'its settings may not be read',
    fix: 'allow sqs:GetQueueAttributes on it',
  },
  credentials: credentialsFault,
  'no-credentials': credentialsFault,
  unreachable: {
    rule: 'queue-unreachable',
    what: 'cannot connect to SQS',
    fix: 'check the network, the VPC endpoint and AWS_ENDPOINT_URL_SQS',
  },
};

export const readQueuesRule: Rule = ({ queues }) => queues.map(readFinding);

function readFinding({ role, url, attributes }: QueueFacts): Finding {
  const where = queueVariables[role];
  if (attributes === undefined) {
    return {
      severity: 'warning',
      rule: 'queue-skipped',
      where,
      what: 'was not looked at, because region or credentials are missing',
      fix: 'fix those first',
    };
  }
  if (!attributes.ok) {
    const fault = readFaults[attributes.error.kind] ?? otherFault;
    return {
      // The worker takes the retention from the source and compares both; of the outcome queue it needs only that it is there.
      severity: role === 'outcome' && fault.rule === 'queue-permission' ? 'warning' : 'error',
      rule: fault.rule,
      where,
      what: `${fault.what} (${printableUrl(url)}: ${attributes.error.name}: ${attributes.error.message})`,
      fix: fault.fix,
    };
  }
  const { fifo, retentionSeconds, visibilitySeconds } = attributes.value;
  const details = [
    `${fifo ? 'FIFO' : 'standard'} queue`,
    ...(retentionSeconds === undefined ? [] : [`keeps messages ${duration(retentionSeconds)}`]),
    // The worker asks for its own on every receive, so the queue's matters to other consumers only.
    ...(visibilitySeconds === undefined ? [] : [`own visibility timeout ${duration(visibilitySeconds)}`]),
  ];
  return { severity: 'ok', rule: 'queue-read', where, what: details.join(', ') };
}

/** The region in the host of AWS's queue URLs: the current, the legacy and the VPC endpoint's form. */
const REGION_IN_HOST =
  /(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.|api\.aws$)|^([a-z0-9-]+)\.queue\.amazonaws\./;

export const queueRegionRule: Rule = ({ queues, region, endpointSet }) => {
  if (!region.ok || endpointSet) return [];
  return queues.flatMap(({ role, url }) => {
    if (!URL.canParse(url)) return [];
    const found = REGION_IN_HOST.exec(new URL(url).hostname);
    const its = found?.[1] ?? found?.[2];
    if (its === undefined || its === region.value) return [];
    return {
      severity: 'error',
      rule: 'queue-region',
      where: queueVariables[role],
      what: `the queue is in ${its}, but requests are signed for ${region.value}`,
      fix: `set AWS_REGION=${its}, or name a queue in ${region.value}`,
    };
  });
};
