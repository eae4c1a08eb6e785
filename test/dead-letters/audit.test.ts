/** The log of changes on a disk that was full in the middle of a line. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAudit } from '../../src/dead-letters/changes/audit.ts';
import { readChanges } from '../../src/dead-letters/desk/log.ts';

test('a line that was cut off takes no later line with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ota-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const open = (run: string) =>
    openAudit(folder, { run, action: 'purge', by: 'ann', reason: 'x' }, () =>
      Date.parse('2026-11-23T07:00:00Z'),
    );
  const first = await open('first');
  await first.write({ event: 'begin', what: {} });
  // As a disk leaves it that is full.
  appendFileSync(first.path, '{"at":"2026-11-23T07:00:00.000Z","run":"first","act');
  await first.write({ event: 'end', result: { purged: 1 } });
  appendFileSync(first.path, '{"at":"2026-11-23T07:00');
  const second = await open('second');
  await second.write({ event: 'begin', what: { limit: 5 } });
  await second.write({ event: 'end', result: {} });
  for (const log of [first, second]) await log.close();
  expect(await readChanges(folder, 10)).toMatchObject([
    { run: 'second', what: { limit: 5 }, end: { result: {} } },
    { run: 'first', end: { result: { purged: 1 } } },
  ]);
  expect(
    readFileSync(first.path, 'utf8')
      .split('\n')
      .filter((line) => line === ''),
  ).toHaveLength(1);
});
