import { expect, onTestFinished, test } from 'vitest';
import { createOtaApi, type OtaApi } from '../../src/ota/client.ts';
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { startApi } from '../../testing/stages/api.ts';
import { limitsOfHungCalls } from '../../testing/stages/hung-calls.ts';
import { credentials, REGION } from '../../testing/stages/servers.ts';

const { signal } = new AbortController();

async function setUp(): Promise<{ api: SimulatedApi; call: (identifier: string) => Promise<unknown> }> {
  const api = await startApi();
  const client: OtaApi = createOtaApi({
    // The least there is: by a clock every call would exceed it.
    callTimeoutMs: 0,
    startTimer: limitsOfHungCalls(api),
    maxSockets: 10,
    client: { region: REGION, credentials, endpoint: api.url },
  });
  onTestFinished(() => client.destroy());
  const call = async (Identifier: string): Promise<unknown> => {
    const answer = await client.updateOtaTask({ Identifier, Description: 'x' }, signal);
    return answer.ok ? 'applied' : answer.error.name;
  };
  return { api, call };
}

test('a call is not ended while the process stalls or the API is slow', async () => {
  const { api, call } = await setUp();
  api.script('slow', [{ status: 204, delayMs: 100 }]);
  expect(await Promise.all([call('slow'), call('fast')])).toEqual(['applied', 'applied']);
});

test('of calls at one time those that hang are ended, and no other', async () => {
  const { api, call } = await setUp();
  api.script('hung', ['hang', 'hang', 'apply']);
  api.script('also', ['hang']);
  api.script('slow', [{ status: 204, delayMs: 100 }]);
  expect(await Promise.all(['hung', 'slow', 'also'].map(call))).toEqual([
    'TimeoutError',
    'applied',
    'TimeoutError',
  ]);
  expect([await call('hung'), await call('hung')]).toEqual(['TimeoutError', 'applied']);
});
