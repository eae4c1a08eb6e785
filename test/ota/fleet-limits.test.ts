import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  FLEET_LIMITS_KEY,
  FleetLimitsError,
  FleetLimitsStore,
  readFleetLimits,
} from '../../src/ota/fleet-limits.ts';
import { emptyRedis } from '../../testing/redis/empty.ts';
import { redisInstalled } from '../../testing/redis/server.ts';

const said = { by: 'ann@host', reason: 'slow', at: '2026-11-29T07:00:00.000Z' };

describe('readFleetLimits', () => {
  test.each<[string, unknown]>([
    ['no list', 'OK'],
    ['no JSON', ['20', 'x']],
    ['a bare number', ['20', null]],
    ['nothing of a value', [JSON.stringify(said), null]],
    ['a rate of none', [JSON.stringify({ ...said, value: 0 }), null]],
    ['a rate without bound', ['{"value":1e999,"by":"a","reason":"b","at":"2026-11-29T07:00:00Z"}', null]],
    ['a text for a value', [JSON.stringify({ ...said, value: '20' }), null]],
    ['half a call', [null, JSON.stringify({ ...said, value: 2.5 })]],
    ['a time that is none', [JSON.stringify({ ...said, value: 20, at: 'soon' }), null]],
  ])('refuses %s', (_, answer) => {
    expect(() => readFleetLimits(answer)).toThrow(FleetLimitsError);
  });

  test('says how to put it right', () => {
    expect(() => readFleetLimits([null, 'x'])).toThrow('(limits set --concurrency), or lift it');
  });

  test('keeps secrets and long texts out', () => {
    const limit = { ...said, value: 20, by: 'a'.repeat(3_000), reason: 'password=hunter2\n\u001b[2J' };
    const { rate } = readFleetLimits([JSON.stringify(limit), null]);
    expect(rate?.by).toHaveLength(200);
    expect(rate?.reason).toBe('');
  });

  test('of anything makes limits that can be gone by, or says that it is none', () => {
    const field = fc.oneof(fc.json(), fc.string(), fc.constant(null), fc.integer());
    fc.assert(
      fc.property(fc.oneof(fc.array(field), fc.anything()), (answer) => {
        try {
          const { rate, concurrency } = readFleetLimits(answer);
          expect(rate?.value ?? 1).toBeGreaterThan(0);
          expect(concurrency?.value ?? 1).toBeGreaterThanOrEqual(1);
        } catch (error) {
          expect(error).toBeInstanceOf(FleetLimitsError);
        }
      }),
    );
  });
});

describe.skipIf(!redisInstalled())('the limits of a fleet', () => {
  const redis = emptyRedis();

  async function connect(): Promise<FleetLimitsStore> {
    const store = await FleetLimitsStore.connect(redis.server.url);
    onTestFinished(() => store.close());
    return store;
  }

  test('are what was set last, each by itself', async () => {
    const [ann, bob] = [await connect(), await connect()];
    expect(await ann.read()).toEqual({ rate: undefined, concurrency: undefined });
    await ann.write({ rate: { ...said, value: 20 } });
    await bob.write({ concurrency: { ...said, by: 'bob@host', value: 3 } });
    expect(await ann.read()).toEqual({
      rate: { ...said, value: 20 },
      concurrency: { ...said, by: 'bob@host', value: 3 },
    });
    await bob.write({ rate: { ...said, by: 'bob@host', value: null } });
    expect((await ann.read()).rate).toEqual({ ...said, by: 'bob@host', value: null });
    // Nothing but FLUSHALL or a command ends it.
    expect(await redis.client.ttl(FLEET_LIMITS_KEY)).toBe(-1);
  });

  test.each<[string, (redis: Redis) => Promise<unknown>]>([
    ['a text', (client) => client.set(FLEET_LIMITS_KEY, '20')],
    ['a field of megabytes', (client) => client.hset(FLEET_LIMITS_KEY, 'rate', 'x'.repeat(2_000_000))],
    ['a field that is none', (client) => client.hset(FLEET_LIMITS_KEY, 'concurrency', '{"value":0}')],
  ])('are not read from %s', async (_, spoil) => {
    const store = await connect();
    await spoil(redis.client);
    await expect(store.read()).rejects.toThrow(FleetLimitsError);
  });
});
