/** The comparisons see whatever is changed in the module: each literal and reference, by another value and by none, and one more. */
import { expect, test } from 'vitest';
import { type Block, moduleOf, parseModule } from './module.ts';
import { mutantsOf } from './mutants.ts';
import { rooms } from './rooms.ts';

/** The name of a comparison that throws: the one named `first`, if that does. Undefined where none does. */
function noticedBy(whole: Block, first?: string): string | undefined {
  const checks = new Map<string, () => void>();
  try {
    const module = moduleOf(whole);
    for (const room of rooms) room(module, (name, check) => void checks.set(name, check));
  } catch {
    return 'no module';
  }
  const throws = (name: string): boolean => {
    try {
      checks.get(name)?.();
      return false;
    } catch {
      return true;
    }
  };
  return [...(first === undefined ? [] : [first]), ...checks.keys()].find(throws);
}

/** What no comparison looks at, and why. */
const exempt: readonly (readonly [path: RegExp, why: string])[] = [
  [/^variable\.\w+\.0\.description$/, 'for people: the template has other words for its parameters'],
  [/^locals\.\d+\.another$/, 'nothing refers to it'],
];

test('each change is noticed', async () => {
  const whole = await parseModule();
  expect(noticedBy(whole)).toBeUndefined();
  const missed: string[] = [];
  let count = 0;
  // Changes of one value come one after the other, and are mostly noticed by the same.
  let last: string | undefined;
  for (const { path, from, to, whole: changed } of mutantsOf(whole)) {
    if (exempt.some(([pattern]) => pattern.test(path))) continue;
    count++;
    const by = noticedBy(changed, last);
    last = by ?? last;
    if (by === undefined) missed.push(`${path}: ${from} -> ${to}`);
  }
  process.stdout.write(`${count} changes of the Terraform module\n`);
  expect(missed).toEqual([]);
}, 600_000);
