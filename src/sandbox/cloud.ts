/** A replacement for AWS in this process: an SQS emulator with its queues, and the simulated API. */
import { buildApp } from 'fauxqs';
import { refuseForeign } from '../http/foreign-requests.ts';
import { createQueue } from '../queue/admin.ts';
import { createSqsClient, type SQSClientConfig } from '../queue/client.ts';
import { giveBackAborted } from './aborted-receives.ts';
import { acceptQueryProtocol } from './query-protocol/accept.ts';
import {
  type SimulatedApi,
  type SimulatedApiSettingsInput,
  startSimulatedApi,
} from './simulated-api/index.ts';

export interface CloudOptions {
  /** The address on which both listen. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly sqsPort: number;
  readonly apiPort: number;
  readonly api: SimulatedApiSettingsInput;
  /** Bearer token for changing the simulated API over HTTP. */
  readonly token: string;
}

export interface Cloud {
  readonly sqsUrl: string;
  readonly api: SimulatedApi;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly outcomeQueueUrl: string;
  /** Client configuration for both; they accept any credentials. */
  readonly client: Pick<SQSClientConfig, 'region' | 'credentials'>;
  close(): Promise<void>;
}

const REGION = 'eu-west-1';
/** Not secret: neither checks signatures. */
const credentials = { accessKeyId: 'sandbox', secretAccessKey: 'sandbox' };
const FOURTEEN_DAYS = String(14 * 86_400);
/** As recommended by `check`. */
const RedrivePolicy = JSON.stringify({
  deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:ota-updates-dead`,
  maxReceiveCount: 1_000,
});

/** Starts both and creates the queues `ota-updates`, `ota-updates-dead` and `ota-updates-outcomes`. */
export async function startCloud({
  host,
  sqsPort,
  apiPort,
  api: settings,
  token,
}: CloudOptions): Promise<Cloud> {
  // Not startFauxqs, which listens on every interface.
  const sqs = buildApp({ logger: false, defaultRegion: REGION });
  refuseForeign(sqs, 'none');
  acceptQueryProtocol(sqs);
  giveBackAborted(sqs);
  const sqsUrl = await sqs.listen({ host, port: sqsPort });
  const client = { region: REGION, credentials };
  const sqsClient = createSqsClient(2, { ...client, endpoint: local(sqsUrl) });
  try {
    await createQueue(sqsClient, 'ota-updates-dead', { MessageRetentionPeriod: FOURTEEN_DAYS });
    await createQueue(sqsClient, 'ota-updates', { RedrivePolicy });
    await createQueue(sqsClient, 'ota-updates-outcomes', { MessageRetentionPeriod: FOURTEEN_DAYS });
  } finally {
    sqsClient.destroy();
  }
  const api = await startSimulatedApi({ host, port: apiPort, settings, token }).catch(
    async (error: unknown) => {
      await closeNow(sqs);
      throw error;
    },
  );
  return {
    sqsUrl: local(sqsUrl),
    api,
    // The host in the emulator's own URLs cannot be resolved everywhere; the emulator only reads the path.
    queueUrl: `${local(sqsUrl)}/000000000000/ota-updates`,
    deadLetterQueueUrl: `${local(sqsUrl)}/000000000000/ota-updates-dead`,
    outcomeQueueUrl: `${local(sqsUrl)}/000000000000/ota-updates-outcomes`,
    client,
    close: async () => {
      await Promise.all([api.close(), closeNow(sqs)]);
    },
  };
}

/** The URL for clients on this machine, even if the listener listens on every address. */
function local(url: string): string {
  return url.replace('0.0.0.0', '127.0.0.1');
}

async function closeNow(app: {
  server: { closeAllConnections(): void };
  close(): PromiseLike<unknown>;
}): Promise<void> {
  const closed = app.close();
  app.server.closeAllConnections();
  await closed;
}
