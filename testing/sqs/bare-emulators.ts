/** Both SQS emulators without the layers that our tests put in front of them. */
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { startBareSecondSqs } from './bare-second-sqs.ts';

const REGION = 'eu-west-1';

export interface BareEmulator {
  readonly url: string;
  readonly sqs: SQSClient;
  /** Resolves with the next request of this action, when it has arrived. */
  arrival(action: string): Promise<IncomingMessage>;
  close(): Promise<void>;
}

export async function startBareFauxqs(): Promise<BareEmulator> {
  const app = buildApp({ logger: false });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return emulator(url, app.server, async () => {
    app.server.closeAllConnections();
    await app.close();
  });
}

export async function startBareLocalSqs(): Promise<BareEmulator> {
  const { url, server, close } = await startBareSecondSqs(REGION);
  return emulator(url, server, close);
}

function emulator(url: string, server: Server, close: () => Promise<void>): BareEmulator {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'a' };
  // Checksums are looked at, not refused.
  const sqs = new SQSClient({ region: REGION, credentials, endpoint: url, maxAttempts: 1, md5: false });
  return {
    url,
    sqs,
    arrival: async (action) => {
      for (;;) {
        const [request] = (await once(server, 'request')) as [IncomingMessage];
        if (request.headers['x-amz-target'] === `AmazonSQS.${action}`) return request;
      }
    },
    close: async () => {
      sqs.destroy();
      await close();
    },
  };
}
