/** `local-aws-sqs` on a port of its own, as it is. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequestHandler } from 'local-aws-sqs';

type Handler = ReturnType<typeof createRequestHandler>;

export interface BareSecondSqs {
  readonly url: string;
  readonly server: Server;
  readonly service: Handler['service'];
  close(): Promise<void>;
}

/** Listens on any free port of this machine. */
export async function startBareSecondSqs(region: string): Promise<BareSecondSqs> {
  const made: { handler?: Handler } = {};
  const server = createServer((request, response) => void made.handler?.requestHandler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  made.handler = createRequestHandler({
    port,
    hostname: '127.0.0.1',
    region,
    accountId: '000000000000',
    emulateQueueCreationLifecycle: false,
  });
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    service: made.handler.service,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
