/** Notices to an SNS topic. */
import { PublishCommand, SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns';
import { attachCall } from '../../aws/open-call.ts';
import { clientDefaults, prepareClient } from '../../aws/sdk-client.ts';
import { transport } from '../../aws/transport.ts';
import { bodyOf, titleOf } from '../notice.ts';
import type { Target } from '../target.ts';
import { foreign, tellAws } from './aws.ts';

const hints = { setting: 'NOTIFY_TOPIC_ARN', permission: 'sns:Publish on it' };
/** SNS accepts a subject of less than 100 characters, for subscriptions by e-mail. */
const MAX_SUBJECT = 99;

/**
 * The message is the JSON that a webhook gets; its attributes `kind` and `jobId` are for filter policies.
 * @param topic its ARN, which also names the region; a FIFO topic receives a job's notices in order.
 * @param env holds the proxy variables.
 */
export function createSnsTarget(
  topic: string,
  env: Readonly<Record<string, string | undefined>>,
  overrides: SNSClientConfig = {},
): Target {
  const [, , , region] = topic.split(':');
  const client = new SNSClient({
    ...transport(2, env),
    ...clientDefaults,
    ...(region !== undefined && { region }),
    ...overrides,
  });
  prepareClient(client);
  return {
    name: 'sns',
    place: `the topic ${topic}`,
    tell: (notice, signal) =>
      tellAws(signal, hints, async (call) => {
        const command = new PublishCommand({
          TopicArn: topic,
          Subject: titleOf(notice).slice(0, MAX_SUBJECT),
          Message: JSON.stringify(bodyOf(notice)),
          MessageAttributes: {
            kind: { DataType: 'String', StringValue: notice.kind },
            jobId: { DataType: 'String', StringValue: notice.jobId },
          },
          ...(topic.endsWith('.fifo') && {
            MessageGroupId: notice.jobId,
            MessageDeduplicationId: notice.id,
          }),
        });
        const { MessageId } = await client.send(attachCall(command, call));
        return MessageId === undefined ? foreign('', hints) : { ok: true };
      }),
    close: () => client.destroy(),
  };
}
