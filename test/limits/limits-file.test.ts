import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Limits } from '../../src/limits/bounds.ts';
import { LimitsFile } from '../../src/limits/limits-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limits-'));
  return () => rm(folder, { recursive: true });
});

function follow(path: string) {
  const said: (readonly [rate: number | undefined, concurrency: number | undefined])[] = [];
  const faults: (string | undefined)[] = [];
  const who: (string | undefined)[] = [];
  const file = new LimitsFile({
    path,
    say: ({ rate, concurrency }: Limits) => {
      said.push([rate.value, concurrency.value]);
      who.push(rate.by);
    },
    onFault: (fault) => faults.push(fault?.message),
    sleep: async () => {},
  });
  const lookTwice = async (): Promise<void> => {
    await file.look();
    await file.look();
  };
  return { file, said, faults, who, lookTwice };
}

test('takes what is there at the start, and then what two looks in a row find', async () => {
  const path = join(folder, 'limits');
  await writeFile(path, 'RATE_LIMIT=20\nCHANGED_BY=ann');
  const { file, said, who } = follow(path);
  await file.begin();
  expect([said, who]).toEqual([[[20, undefined]], ['ann']]);
  await writeFile(path, 'RATE_LIMIT=2');
  await file.look();
  await writeFile(path, 'RATE_LIMIT=25\nMAX_CONCURRENCY=5');
  await file.look();
  expect(said).toHaveLength(1);
  await file.look();
  await file.look();
  expect(said).toEqual([
    [20, undefined],
    [25, 5],
  ]);
});

test('follows a link that is swapped, as Kubernetes does with a ConfigMap', async () => {
  for (const [version, rate] of [
    ['one', 10],
    ['two', 5],
  ] as const) {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'limits'), `RATE_LIMIT=${rate}\n`);
  }
  await symlink('one', join(folder, '..data'));
  await symlink('..data/limits', join(folder, 'limits'));
  const { said, lookTwice } = follow(join(folder, 'limits'));
  await lookTwice();
  await symlink('two', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await lookTwice();
  expect(said).toEqual([
    [10, undefined],
    [5, undefined],
  ]);
});

test('a file that is not there says nothing; one that is away for a moment goes on', async () => {
  const path = join(folder, 'limits');
  const { file, said, faults, lookTwice } = follow(path);
  await lookTwice();
  expect([said, faults]).toEqual([[[undefined, undefined]], [undefined]]);
  await writeFile(path, 'MAX_CONCURRENCY=5');
  await lookTwice();
  await rm(path);
  await file.look();
  await writeFile(path, 'MAX_CONCURRENCY=5');
  await lookTwice();
  expect(said).toHaveLength(2);
  await rm(path);
  await lookTwice();
  expect(said.slice(1)).toEqual([
    [undefined, 5],
    [undefined, undefined],
  ]);
});

test('what cannot be read or understood is a fault, and what was said before goes on', async () => {
  const path = join(folder, 'limits');
  await writeFile(path, 'RATE_LIMIT=20');
  const { said, faults, lookTwice } = follow(path);
  await lookTwice();
  await writeFile(path, 'RATE_LIMIT=fast');
  await lookTwice();
  await lookTwice();
  await writeFile(path, `# ${'x'.repeat(70_000)}`);
  await lookTwice();
  await rm(path);
  await mkdir(path);
  await lookTwice();
  expect(faults).toEqual([
    undefined,
    `${path}: RATE_LIMIT must be a number of calls per second from 0.01 to 100000, or "unlimited"`,
    `${path}: it is larger than 65536 bytes`,
    `${path}: it is not a regular file`,
  ]);
  expect(said).toEqual([[20, undefined]]);
  await rm(path, { recursive: true });
  await writeFile(path, 'RATE_LIMIT=20');
  await lookTwice();
  expect(faults.at(-1)).toBe(undefined);
});

test('looks until it is told to end', async () => {
  const path = join(folder, 'limits');
  const ended = new AbortController();
  let looks = 0;
  const said: Limits[] = [];
  const file = new LimitsFile({
    path,
    say: (limits) => said.push(limits),
    onFault: () => {},
    sleep: async () => {
      if (++looks === 3) ended.abort();
    },
  });
  onTestFinished(() => ended.abort());
  await file.follow(ended.signal);
  expect([looks, said.length]).toEqual([3, 1]);
});
