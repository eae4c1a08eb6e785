import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BoundChange, Bounds, type Limit, noLimits } from '../../src/limits/bounds.ts';

function setUp(rate = 100, concurrency = 50) {
  let time = 1_000;
  const bounds = new Bounds({ rate, concurrency, now: () => time });
  const changes: BoundChange[] = [];
  bounds.onChange((change) => changes.push(change));
  const at = (ms: number): void => {
    time = ms;
  };
  return { bounds, changes, at };
}

test('the environment holds until somebody says less', () => {
  const { bounds, changes, at } = setUp();
  at(2_000);
  bounds.say('file', { rate: { value: 20, by: 'ann', reason: 'maintenance' }, concurrency: {} });
  expect(bounds.rate).toEqual({
    value: 20,
    source: 'file',
    since: 2_000,
    by: 'ann',
    reason: 'maintenance',
  });
  expect(bounds.concurrency).toEqual({ value: 50, source: 'environment', since: 1_000 });
  expect(changes).toEqual([
    {
      bound: 'rate',
      source: 'file',
      set: 20,
      by: 'ann',
      reason: 'maintenance',
      from: 100,
      to: 20,
      holds: 'file',
    },
  ]);
});

test('who lifts a limit is told, and what holds then', () => {
  const { bounds, changes } = setUp();
  bounds.say('file', { ...noLimits, rate: { value: 30 } });
  bounds.say('redis', { ...noLimits, rate: { value: 20, by: 'ann@host', reason: 'less' } });
  bounds.say('redis', { ...noLimits, rate: { by: 'bob@host', reason: 'over' } });
  expect(changes.at(-1)).toEqual({
    bound: 'rate',
    source: 'redis',
    set: undefined,
    by: 'bob@host',
    reason: 'over',
    from: 20,
    to: 30,
    holds: 'file',
  });
  expect(bounds.rate).toMatchObject({ value: 30, source: 'file' });
});

test('a limit that is not the lowest is told, and changes nothing', () => {
  const { bounds, changes, at } = setUp();
  at(9_000);
  bounds.say('redis', { ...noLimits, concurrency: { value: 60 } });
  expect(changes).toMatchObject([{ set: 60, from: 50, to: 50, holds: 'environment' }]);
  expect(bounds.concurrency).toEqual({ value: 50, source: 'environment', since: 1_000 });
});

test('of all that is said the lowest holds, each change is told once, and what is told is in force', () => {
  const limit = fc.record({ value: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }) });
  const word = fc.record({
    source: fc.constantFrom('file' as const, 'redis' as const),
    rate: limit,
    concurrency: limit,
  });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const { bounds, changes } = setUp();
      const said: Record<'file' | 'redis', Record<'rate' | 'concurrency', Limit>> = {
        file: noLimits,
        redis: noLimits,
      };
      for (const { source, rate, concurrency } of words) {
        const before = { rate: bounds.rate.value, concurrency: bounds.concurrency.value };
        const told = changes.length;
        bounds.say(source, { rate, concurrency });
        bounds.say(source, { rate, concurrency });
        const differing = (['rate', 'concurrency'] as const).filter(
          (bound) => said[source][bound].value !== { rate, concurrency }[bound].value,
        );
        said[source] = { rate, concurrency };
        expect(changes.slice(told).map(({ bound }) => bound)).toEqual(differing);
        for (const { bound, from, to, holds } of changes.slice(told)) {
          expect({ from, to }).toEqual({ from: before[bound], to: bounds[bound].value });
          expect(holds).toBe(bounds[bound].source);
        }
        const lowest = (bound: 'rate' | 'concurrency', own: number): number =>
          Math.min(own, said.file[bound].value ?? own, said.redis[bound].value ?? own);
        expect(bounds.rate.value).toBe(lowest('rate', 100));
        expect(bounds.concurrency.value).toBe(lowest('concurrency', 50));
      }
    }),
  );
});
