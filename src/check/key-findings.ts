/** Rules about what cannot be tried without changing something: the use of a queue's KMS key, and actions on the queues. */
import { keyPermissions } from '../queue/explain.ts';
import { printable } from '../text/printable.ts';
import type { QueueRole } from './facts.ts';
import type { Finding, Rule } from './finding.ts';
import { queueVariables } from './queue-read-findings.ts';

/** AWS's own key for SQS: its policy admits everybody in the account who may use the queue, and nobody else. */
const KEY_OF_AWS = /^(?:arn:[^:]+:kms:.*:)?alias\/aws\/sqs$/;

/** Who needs which permissions on the key of a queue (deploy/iam). */
const users: Readonly<Record<QueueRole, string>> = {
  source: `${keyPermissions.receive} to receive (worker), ${keyPermissions.send} to send (enqueue, jobs, dead-letters redrive, other producers)`,
  'dead-letter': `${keyPermissions.send} to send (worker), ${keyPermissions.receive} to receive (dead-letters)`,
  outcome: `${keyPermissions.send} to send (worker), ${keyPermissions.receive} to receive (jobs)`,
};

export const queueKeyRule: Rule = ({ queues }) =>
  queues.flatMap(({ role, attributes }): Finding[] => {
    const key = attributes?.ok ? attributes.value.kmsKeyId : undefined;
    if (key === undefined) return [];
    const found = { rule: 'queue-key', where: queueVariables[role] } as const;
    if (KEY_OF_AWS.test(key)) {
      const what =
        "is encrypted with AWS's own key (alias/aws/sqs), which other accounts, SNS topics and EventBridge rules cannot use";
      return [{ ...found, severity: 'ok', what }];
    }
    return [
      {
        ...found,
        severity: 'unchecked',
        what: `whether the credentials may use the KMS key ${printable(key)} of this queue: only messages show that`,
        fix: `it must allow ${users[role]}`,
      },
    ];
  });

/** What each role does with a queue, besides reading its attributes. */
const actions: Readonly<Record<QueueRole, string>> = {
  source: 'sqs:ReceiveMessage, DeleteMessage and ChangeMessageVisibility',
  'dead-letter': 'sqs:SendMessage',
  outcome: 'sqs:SendMessage',
};

/** A receive would count towards the redrive policy, and hide the message from the workers. */
export const queueActionsRule: Rule = ({ queues }) => {
  const read = queues.filter(({ attributes }) => attributes?.ok);
  if (read.length === 0) return [];
  return [
    {
      severity: 'unchecked',
      rule: 'queue-actions',
      where: 'queues',
      what: 'whether messages may be received, deleted and sent: trying it would change the queues',
      fix: `the worker needs ${read.map(({ role }) => `${actions[role]} on ${queueVariables[role]}`).join(', ')}`,
    },
  ];
};
