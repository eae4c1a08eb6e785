/**
 * The simulated API in a separate process, and what it saw: calls over time, by caller. A caller is recognized by the
 * letters at the beginning of its Identifiers.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { type ApiTimeline, BUCKET_MS } from './timeline.ts';

/** Since the last reset. */
export interface ApiLook {
  /** Milliseconds of the API's own clock. */
  readonly at: number;
  readonly calls: number;
  readonly accepted: number;
  readonly throttled: number;
  /** Different Identifiers accepted. */
  readonly distinct: number;
}

let startedAt = performance.now();
let callers: Record<string, { accepted: number[]; throttled: number[] }> = {};
let accepted = 0;
let throttled = 0;
let calls = 0;
let seen = new Set<string>();

function reset(): void {
  startedAt = performance.now();
  callers = {};
  accepted = 0;
  throttled = 0;
  calls = 0;
  seen = new Set();
}

const api = await startSimulatedApi();
api.onCall(({ identifier, status }) => {
  const caller = /^[a-z]+/i.exec(identifier)?.[0] ?? '';
  callers[caller] ??= { accepted: [], throttled: [] };
  calls++;
  if (status === 204) {
    accepted++;
    seen.add(identifier);
  } else if (status === 429) throttled++;
  const buckets = status === 204 ? callers[caller].accepted : callers[caller].throttled;
  const bucket = Math.floor((performance.now() - startedAt) / BUCKET_MS);
  while (buckets.length <= bucket) buckets.push(0);
  buckets[bucket] = (buckets[bucket] ?? 0) + 1;
});

const control = createServer((request, response) => {
  if (request.url === '/reset') reset();
  const look: ApiLook = { at: performance.now(), calls, accepted, throttled, distinct: seen.size };
  const timeline: ApiTimeline = { startedAt, callers };
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify(request.url === '/timeline' ? timeline : look));
});
control.listen(0, '127.0.0.1', () => {
  const { port } = control.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: api.url, control: `http://127.0.0.1:${port}` })}\n`);
});
