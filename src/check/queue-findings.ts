/** Rules about the settings of the queues, individually and compared. */
import { MAX_PAYLOAD_BYTES } from '../queue/batch.ts';
import type { QueueAttributes } from '../queue/types.ts';
import { sameQueue } from '../queue/urls.ts';
import { duration } from '../text/times.ts';
import type { CheckFacts, QueueFacts, QueueRole } from './facts.ts';
import type { Finding, Rule } from './finding.ts';
import { queueVariables } from './queue-read-findings.ts';

/** The longest retention SQS offers. */
const LONGEST_RETENTION_SECONDS = 14 * 86_400;
const LONGEST_RETENTION_FIX = 'set its MessageRetentionPeriod to 1209600 (14 days)';
/** Below this, throttling or a few restarts could make SQS itself dead-letter healthy messages. */
const MIN_MAX_RECEIVE_COUNT = 100;
/** The most that SQS allows. */
const RECOMMENDED_MAX_RECEIVE_COUNT = 1_000;

const letters = queueVariables['dead-letter'];

export const distinctQueuesRule: Rule = ({ queues }) =>
  queues.flatMap((second, i) =>
    queues
      .slice(0, i)
      .filter((first) => isSameQueue(first, second))
      .map(
        (first): Finding => ({
          severity: 'error',
          rule: 'queues-distinct',
          where: queueVariables[second.role],
          what: `is the same queue as ${queueVariables[first.role]}`,
          fix: 'use a different queue',
        }),
      ),
  );

function isSameQueue(first: QueueFacts, second: QueueFacts): boolean {
  const identityOf = (queue: QueueFacts) => ({ url: queue.url, arn: read(queue)?.arn });
  return sameQueue(identityOf(first), identityOf(second));
}

export const queueKindsRule: Rule = (facts) =>
  withPair(facts, (source, deadLetter) => {
    if (source.fifo === deadLetter.fifo) return [];
    const kind = (fifo: boolean): string => (fifo ? 'a FIFO queue' : 'a standard queue');
    return [
      {
        severity: 'error',
        rule: 'queue-kinds',
        where: letters,
        what: `is ${kind(deadLetter.fifo)}, but ${queueVariables.source} is ${kind(source.fifo)}`,
        fix: `use ${kind(source.fifo)} for dead letters too: AWS redrives only between queues of the same kind`,
      },
    ];
  });

export const deadLetterRetentionRule: Rule = (facts) =>
  withPair(facts, (source, deadLetter) => {
    const [its, other] = [deadLetter.retentionSeconds, source.retentionSeconds];
    if (its === undefined || other === undefined) return [];
    const found = { rule: 'dead-letter-retention', where: letters } as const;
    const fix = LONGEST_RETENTION_FIX;
    if (its < other) {
      const what = `keeps messages ${duration(its)}, shorter than ${queueVariables.source} (${duration(other)})`;
      return [{ ...found, severity: 'error', what, fix }];
    }
    if (its < LONGEST_RETENTION_SECONDS) {
      const what = `keeps messages ${duration(its)}; dead letters wait for people, and 14 days are possible`;
      return [{ ...found, severity: 'warning', what, fix }];
    }
    return [{ ...found, severity: 'ok', what: `keeps messages ${duration(its)}` }];
  });

export const outcomeRetentionRule: Rule = (facts) => {
  const its = attributesOf(facts, 'outcome')?.retentionSeconds;
  if (its === undefined) return [];
  const found = { rule: 'outcome-retention', where: queueVariables.outcome } as const;
  if (its >= LONGEST_RETENTION_SECONDS)
    return [{ ...found, severity: 'ok', what: `keeps messages ${duration(its)}` }];
  return [
    {
      ...found,
      severity: 'warning',
      what: `keeps messages ${duration(its)}; outcomes wait for the process that follows the job, and 14 days are possible`,
      fix: LONGEST_RETENTION_FIX,
    },
  ];
};

export const deadLetterSizeRule: Rule = (facts) =>
  withPair(facts, (source, deadLetter) => {
    const [its, other] = [deadLetter.maximumMessageBytes, source.maximumMessageBytes];
    if (its === undefined || other === undefined) return [];
    const found = { rule: 'dead-letter-size', where: letters } as const;
    const fix = `set its MaximumMessageSize to ${MAX_PAYLOAD_BYTES}`;
    if (its < other) {
      const what = `accepts messages up to ${its} bytes, but ${queueVariables.source} up to ${other}: a large letter would be refused forever`;
      return [{ ...found, severity: 'error', what, fix }];
    }
    if (its < MAX_PAYLOAD_BYTES) {
      const what = `accepts messages up to ${its} bytes, which leaves no room for the reason beside a body of that size`;
      return [{ ...found, severity: 'warning', what, fix }];
    }
    return [{ ...found, severity: 'ok', what: `accepts messages up to ${its} bytes` }];
  });

export const redriveRule: Rule = (facts) => {
  const source = attributesOf(facts, 'source');
  if (source === undefined) return [];
  const found = { rule: 'redrive-policy', where: queueVariables.source } as const;
  const target = attributesOf(facts, 'dead-letter')?.arn;
  if (source.redrivePolicy === undefined) {
    return [
      {
        ...found,
        severity: 'warning',
        what: `has no redrive policy: AWS's own redrive of dead letters refuses ${letters} ("Source queue must be configured as a Dead Letter Queue")`,
        fix: `set its RedrivePolicy to ${recommended(target)}: the worker dead-letters by itself, long before so many receives`,
      },
    ];
  }
  const policy = parsePolicy(source.redrivePolicy);
  if (policy === undefined) {
    const what = 'has a redrive policy that cannot be read';
    return [{ ...found, severity: 'warning', what, fix: `set it to ${recommended(target)}` }];
  }
  const findings: Finding[] = [];
  if (policy.maxReceiveCount < MIN_MAX_RECEIVE_COUNT) {
    findings.push({
      ...found,
      severity: 'warning',
      what: `its redrive policy moves a message after ${policy.maxReceiveCount} receives: throttling or restarts could trigger it, and such a dead letter has no reason`,
      fix: `raise maxReceiveCount to ${RECOMMENDED_MAX_RECEIVE_COUNT}: the worker dead-letters by itself`,
    });
  }
  if (target !== undefined && policy.target !== target) {
    findings.push({
      ...found,
      rule: 'redrive-target',
      severity: 'warning',
      what: `its redrive policy moves messages to ${policy.target}, which is not ${letters}`,
      fix: `set it to ${recommended(target)}`,
    });
  }
  if (findings.length > 0) return findings;
  return [{ ...found, severity: 'ok', what: `its redrive policy allows ${policy.maxReceiveCount} receives` }];
};

/** The policy that makes a queue a dead-letter queue in AWS's view, and never takes effect. */
function recommended(target: string | undefined): string {
  const policy = {
    deadLetterTargetArn: target ?? `the ARN of ${letters}`,
    maxReceiveCount: RECOMMENDED_MAX_RECEIVE_COUNT,
  };
  return JSON.stringify(policy);
}

export const deadLetterRedriveRule: Rule = (facts) => {
  const policy = attributesOf(facts, 'dead-letter')?.redrivePolicy;
  if (policy === undefined) return [];
  const target = parsePolicy(policy)?.target ?? 'another queue';
  return [
    {
      severity: 'warning',
      rule: 'dead-letter-redrive',
      where: letters,
      what: `has a redrive policy of its own: looking at dead letters counts as receiving them, and SQS then moves them on to ${target}, where no command looks`,
      fix: 'remove its RedrivePolicy',
    },
  ];
};

function parsePolicy(text: string): { maxReceiveCount: number; target: string } | undefined {
  try {
    const policy: unknown = JSON.parse(text);
    if (typeof policy !== 'object' || policy === null) return undefined;
    const { maxReceiveCount, deadLetterTargetArn } = policy as Record<string, unknown>;
    // SQS returns the count as it was set: as a number or as a string.
    const count = Number(maxReceiveCount);
    if (!Number.isInteger(count) || count < 1 || typeof deadLetterTargetArn !== 'string') return undefined;
    return { maxReceiveCount: count, target: deadLetterTargetArn };
  } catch {
    return undefined;
  }
}

/** Compares source and dead-letter queue, if both could be read. */
function withPair(
  facts: CheckFacts,
  compare: (source: QueueAttributes, deadLetter: QueueAttributes) => readonly Finding[],
): readonly Finding[] {
  const source = attributesOf(facts, 'source');
  const deadLetter = attributesOf(facts, 'dead-letter');
  return source === undefined || deadLetter === undefined ? [] : compare(source, deadLetter);
}

function attributesOf(facts: CheckFacts, role: QueueRole): QueueAttributes | undefined {
  const queue = facts.queues.find((candidate) => candidate.role === role);
  return queue === undefined ? undefined : read(queue);
}

function read({ attributes }: QueueFacts): QueueAttributes | undefined {
  return attributes?.ok ? attributes.value : undefined;
}
