import { expect, test } from 'vitest';
import { OpenRequests } from '../../src/dead-letters/pass/open-requests.ts';
import { retryRequest } from '../../src/dead-letters/pass/retry.ts';

const busy = Object.assign(new Error('busy'), { $metadata: { httpStatusCode: 503 } });

test('a request that fails and is tried again is away from its first try on, with the reason of the last one', async () => {
  let time = 1_000;
  const requests = new OpenRequests(
    () => time,
    (error) => String(error),
  );
  const seen: unknown[] = [];
  let tries = 0;
  const request = async (): Promise<string> => {
    if (++tries < 3) throw busy;
    return 'done';
  };
  const sleep = async (): Promise<void> => {
    time += 4_000;
    seen.push(requests.away);
  };
  expect(await retryRequest(request, { sleep, random: () => 0, watch: requests.watch })).toBe('done');
  expect(seen).toEqual([undefined, { since: 1_000, why: 'Error: busy' }]);
  expect(requests.away).toBeUndefined();
});

test('of several that are not answered the oldest counts, until it is given up', async () => {
  let time = 0;
  const requests = new OpenRequests(
    () => time,
    () => undefined,
  );
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const both = [first, second].map(({ promise }) => {
    time += 1_000;
    return requests.watch(() => promise);
  });
  time += 10_000;
  expect(requests.away).toEqual({ since: 1_000, why: undefined });
  first.reject(busy);
  await expect(both[0]).rejects.toBe(busy);
  expect(requests.away).toEqual({ since: 2_000, why: undefined });
  second.resolve();
  await both[1];
  expect(requests.away).toBeUndefined();
});
