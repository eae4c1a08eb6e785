/** Notices to an EventBridge event bus. */
import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import { attachCall } from '../../aws/open-call.ts';
import { clientDefaults, prepareClient } from '../../aws/sdk-client.ts';
import { transport } from '../../aws/transport.ts';
import type { NoticeKind } from '../notice.ts';
import type { Target } from '../target.ts';
import { refusal, tellAws } from './aws.ts';

const hints = { setting: 'NOTIFY_EVENT_BUS', permission: 'events:PutEvents on it' };

/** What rules match on, together with the source `ota-updater`. */
const detailTypes: Readonly<Record<NoticeKind, string>> = {
  done: 'Job Done',
  aborted: 'Job Aborted',
  'paused-by-rule': 'Job Paused By Rule',
  stuck: 'Job Stuck',
};

/**
 * The event's detail is the notice; its `id` stays the same when it is sent again.
 * @param bus a name, or an ARN, which also names the region.
 * @param env holds the proxy variables.
 */
export function createEventBridgeTarget(
  bus: string,
  env: Readonly<Record<string, string | undefined>>,
  overrides: EventBridgeClientConfig = {},
): Target {
  const region = bus.startsWith('arn:') ? bus.split(':')[3] : undefined;
  const client = new EventBridgeClient({
    ...transport(2, env),
    ...clientDefaults,
    ...(region !== undefined && { region }),
    ...overrides,
  });
  prepareClient(client);
  return {
    name: 'eventbridge',
    place: `the event bus ${bus}`,
    tell: (notice, signal) =>
      tellAws(signal, hints, async (call) => {
        const command = new PutEventsCommand({
          Entries: [
            {
              EventBusName: bus,
              Source: 'ota-updater',
              DetailType: detailTypes[notice.kind],
              Time: new Date(notice.at),
              Detail: JSON.stringify(notice),
            },
          ],
        });
        // EventBridge answers 200 even to a request of which it has accepted nothing.
        const { FailedEntryCount, Entries } = await client.send(attachCall(command, call));
        const entry = Entries?.[0];
        if (!FailedEntryCount && entry?.EventId !== undefined) return { ok: true };
        return refusal(entry?.ErrorCode ?? 'InternalFailure', entry?.ErrorMessage ?? '', 200, hints);
      }),
    close: () => client.destroy(),
  };
}
