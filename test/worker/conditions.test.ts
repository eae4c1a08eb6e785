import { expect, test } from 'vitest';
import { Conditions, conditionNames } from '../../src/worker/conditions.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';

function setUp() {
  const time = { wall: 1_000, monotonic: 0 };
  const events: WorkerEvent[] = [];
  let changes = 0;
  const conditions = new Conditions({
    clock: { wall: () => time.wall, monotonic: () => time.monotonic },
    emit: (event) => events.push(event),
  });
  conditions.watch(() => changes++);
  return { conditions, events, time, changes: () => changes };
}

const named = (name: string): Error => Object.assign(new Error('text'), { name });

test('a condition is raised once, however often, since the first time and with the last error', () => {
  const { conditions, events, time, changes } = setUp();
  const first = named('TimeoutError');
  conditions.raise('receiving', first);
  time.wall = 5_000;
  conditions.raise('receiving', { code: 'AccessDenied' });
  conditions.raise('receiving');
  expect(events).toEqual([{ type: 'condition', condition: 'receiving', raised: true, error: first }]);
  expect(changes()).toBe(1);
  expect(conditions.list().filter(({ raised }) => raised !== undefined)).toMatchObject([
    { name: 'receiving', raised: { since: 1_000, error: 'AccessDenied' } },
  ]);
});

test('it is cleared once, with how long it lasted by monotonic time', () => {
  const { conditions, events, time, changes } = setUp();
  conditions.clear('receiving');
  expect(events).toEqual([]);
  conditions.raise('receiving');
  Object.assign(time, { wall: 0, monotonic: 7_000 });
  conditions.clear('receiving');
  conditions.clear('receiving');
  expect(events.slice(1)).toEqual([
    { type: 'condition', condition: 'receiving', raised: false, durationMs: 7_000 },
  ]);
  expect(changes()).toBe(2);
  expect(conditions.has('receiving')).toBe(false);
});

test('renewed, it is emitted with each error, and lasts since the first', () => {
  const { conditions, events, changes } = setUp();
  for (const error of [named('One'), named('Two')]) conditions.renew('limits', error, 'file');
  const event = { type: 'condition', condition: 'limits', of: 'file', raised: true };
  expect(events).toEqual([
    { ...event, error: named('One') },
    { ...event, error: named('Two') },
  ]);
  expect(changes()).toBe(1);
});

test('all are listed from the start, none raised', () => {
  const { conditions } = setUp();
  expect(conditions.list().map(({ name, raised }) => [name, raised])).toEqual(
    conditionNames.map((name) => [name, undefined]),
  );
});

test('receiving is to stop while one is raised that says so', () => {
  const { conditions } = setUp();
  conditions.raise('receiving');
  expect(conditions.stopReceiving).toBe(false);
  conditions.raise('publishing');
  conditions.raise('dead-lettering');
  conditions.clear('publishing');
  expect(conditions.stopReceiving).toBe(true);
  conditions.clear('dead-lettering');
  expect(conditions.stopReceiving).toBe(false);
});

test.each([
  ['a name from afar', named('Evil\u202e\n<Name> '.repeat(50)), 'EvilName'.repeat(12).concat('Evil')],
  ['no name', named(''), 'Error'],
  ['no error', 'text', 'Error'],
])('%s is shown as letters, digits and marks, cut', (_, error, shown) => {
  const { conditions } = setUp();
  conditions.raise('receiving', error);
  const [receiving] = conditions.list().filter(({ raised }) => raised !== undefined);
  expect(receiving?.raised?.error).toBe(shown);
});
