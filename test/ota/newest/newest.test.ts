import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalNewest, MAX_REMEMBERED } from '../../../src/ota/newest/newest.ts';

const none = Number.NEGATIVE_INFINITY;

describe('local marks', () => {
  test('hold for each field of a task when its newest applied value was decided on', () => {
    const newest = new LocalNewest();
    newest.applied('a', { Description: 'x' }, 100);
    expect(newest.known('a')).toEqual({ Description: 100, TaskConfigurationId: none });
    newest.applied('a', { Description: 'y', TaskConfigurationId: 'c' }, 200);
    newest.applied('a', { TaskConfigurationId: 'c' }, 150);
    expect(newest.known('a')).toEqual({ Description: 200, TaskConfigurationId: 200 });
    expect(newest.known('b')).toBeUndefined();
  });

  test('hold Identifiers that are names of Object.prototype', () => {
    const newest = new LocalNewest();
    expect(newest.known('constructor')).toBeUndefined();
    newest.applied('constructor', { Description: 'x' }, 1);
    expect(newest.known('constructor')?.Description).toBe(1);
  });

  test('hold 25,000 to 50,000 Identifiers, those marked last', () => {
    const newest = new LocalNewest();
    for (let i = 0; i < 120_000; i++) newest.applied(`task${i}`, { Description: 'x' }, i);
    expect(newest.size).toBeLessThanOrEqual(MAX_REMEMBERED);
    const last = Array.from({ length: 25_000 }, (_, i) => i + 95_000);
    expect(last.filter((i) => newest.known(`task${i}`)?.Description !== i)).toEqual([]);
    expect(newest.known('task0')).toBeUndefined();
  });

  test('drop the Identifiers marked least recently', () => {
    const newest = new LocalNewest(4);
    for (const id of ['a', 'b', 'c', 'a', 'd', 'e', 'f']) newest.applied(id, { Description: 'x' }, 1);
    expect(newest.known('b')).toBeUndefined();
    expect(['d', 'e', 'f'].map((id) => newest.known(id)?.Description)).toEqual([1, 1, 1]);
  });

  test('are never newer than what was applied, and present for the Identifiers marked last', () => {
    const applied = fc.record({
      id: fc.integer({ min: 0, max: 12 }).map((n) => `t${n}`),
      at: fc.integer({ min: 0, max: 20 }),
      field: fc.constantFrom('Description' as const, 'TaskConfigurationId' as const),
    });
    fc.assert(
      fc.property(fc.array(applied, { maxLength: 80 }), fc.integer({ min: 2, max: 10 }), (all, bound) => {
        const newest = new LocalNewest(bound);
        const half = Math.ceil(bound / 2);
        const truth = new Map<string, number>();
        const last: string[] = [];
        for (const { id, at, field } of all) {
          newest.applied(id, { [field]: 'x' }, at);
          truth.set(`${id}.${field}`, Math.max(at, truth.get(`${id}.${field}`) ?? none));
          if (last.includes(id)) last.splice(last.indexOf(id), 1);
          last.push(id);
          expect(newest.size).toBeLessThanOrEqual(2 * half);
          expect(new Set(newest.identifiers()).size).toBe(newest.size);
          for (const each of newest.identifiers()) {
            expect(newest.known(each)?.Description).toBeLessThanOrEqual(
              truth.get(`${each}.Description`) ?? none,
            );
          }
          for (const each of last.slice(-half)) expect(newest.known(each)).toBeDefined();
        }
      }),
    );
  });
});
