/** The SQS emulator in a separate process, with a count of the requests it gets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildApp } from 'fauxqs';

/** Requests since the last reset. */
export interface SqsCounts {
  readonly byAction: Readonly<Record<string, number>>;
  /** Epoch milliseconds; null if there was none yet. */
  readonly firstReceiveAt: number | null;
}

let byAction: Record<string, number> = {};
let firstReceiveAt: number | null = null;

const app = buildApp({ logger: false, defaultRegion: 'eu-west-1' });
app.addHook('onRequest', (request, _reply, done) => {
  const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
  byAction[action] = (byAction[action] ?? 0) + 1;
  if (action === 'ReceiveMessage') firstReceiveAt ??= performance.timeOrigin + performance.now();
  done();
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });

const control = createServer((request, response) => {
  const counts: SqsCounts = { byAction, firstReceiveAt };
  if (request.url === '/reset') {
    byAction = {};
    firstReceiveAt = null;
  }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(counts));
});
control.listen(0, '127.0.0.1', () => {
  const { port } = control.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url, control: `http://127.0.0.1:${port}` })}\n`);
});
