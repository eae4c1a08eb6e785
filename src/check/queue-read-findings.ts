/** Rules about access to the queues: each exists, its settings may be read, and it is in the region of the signatures. */

import { endpointVariables, isAwsHost } from '../aws/endpoints.ts';
import type { SqsErrorKind } from '../queue/errors.ts';
import { explanationOf } from '../queue/explain.ts';
import { duration } from '../text/times.ts';
import type { QueueFacts, QueueRole, ReadError } from './facts.ts';
import type { Finding, Rule, RuleName } from './finding.ts';

/** The variable that names each queue. */
export const queueVariables: Readonly<Record<QueueRole, string>> = {
  source: 'QUEUE_URL',
  'dead-letter': 'DEAD_LETTER_QUEUE_URL',
  outcome: 'OUTCOME_QUEUE_URL',
};

/** The name of the finding about a queue that could not be read, by its error. */
const readRules: Readonly<Partial<Record<SqsErrorKind, RuleName>>> = {
  missing: 'queue-missing',
  denied: 'queue-permission',
  credentials: 'queue-credentials',
  'no-credentials': 'queue-credentials',
  unreachable: 'queue-unreachable',
  throttled: 'queue-throttled',
  foreign: 'queue-foreign',
  key: 'queue-key',
};

/** Fixes for errors whose own sentence says too little. */
const readFixes: Readonly<Partial<Record<SqsErrorKind, string>>> = {
  missing: 'correct account, region and name in the URL, or create the queue',
  credentials: 'renew the credentials; see also the findings on region and clock',
  unreachable: `check the network, the VPC endpoint, the proxy and ${endpointVariables.sqs}`,
  throttled: 'run check again when there is less traffic',
};

export const readQueuesRule: Rule = ({ queues }) => queues.map(readFinding);

function readFinding({ role, url, attributes }: QueueFacts): Finding {
  const where = queueVariables[role];
  if (attributes === undefined) {
    return {
      severity: 'unchecked',
      rule: 'queue-skipped',
      where,
      what: 'was not looked at, because region or credentials are missing',
      fix: 'fix those first',
    };
  }
  if (!attributes.ok) return readFault(role, url, attributes.error);
  const { fifo, retentionSeconds, visibilitySeconds } = attributes.value;
  const details = [
    `${fifo ? 'FIFO' : 'standard'} queue`,
    ...(retentionSeconds === undefined ? [] : [`keeps messages ${duration(retentionSeconds)}`]),
    // The worker sets its own timeout on every receive, so the queue's matters only to other consumers.
    ...(visibilitySeconds === undefined ? [] : [`own visibility timeout ${duration(visibilitySeconds)}`]),
  ];
  return { severity: 'ok', rule: 'queue-read', where, what: details.join(', ') };
}

function readFault(role: QueueRole, url: string, error: ReadError): Finding {
  const where = queueVariables[role];
  const hints = { setting: where, permission: 'sqs:GetQueueAttributes', does: 'receive' } as const;
  const { what, fix = 'see the error of SQS', said } = explanationOf(error, error.kind, url, hints);
  const rule = readRules[error.kind] ?? 'queue-unreadable';
  // The worker uses the retention of the source queue, and compares both. The outcome queue only needs to exist.
  const mild = rule === 'queue-throttled' || (role === 'outcome' && rule === 'queue-permission');
  return {
    severity: mild ? 'warning' : 'error',
    rule,
    where,
    what: said === undefined ? what : `${what} (${said})`,
    fix: readFixes[error.kind] ?? fix,
  };
}

/** The region in the host of AWS's queue URLs: the current, the legacy and the VPC endpoint's form. */
const REGION_IN_HOST = /(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.|^([a-z0-9-]+)\.queue\./;

export const queueRegionRule: Rule = ({ queues, region, endpointSet }) => {
  if (!region.ok || endpointSet) return [];
  return queues.flatMap(({ role, url }) => {
    if (!URL.canParse(url)) return [];
    const { hostname } = new URL(url);
    const found = isAwsHost(hostname) ? REGION_IN_HOST.exec(hostname) : null;
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
