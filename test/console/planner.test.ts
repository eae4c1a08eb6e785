import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Planner } from '../../src/console/jobs/planner.ts';
import type { PlanReport } from '../../src/jobs/plan/summary.ts';

test.each(['applied', 'discarded', 'failed'] as const)(
  'the name of a plan that is %s is free once its folder is gone: another one would lose its files',
  async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'ota-plans-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const planner = new Planner({
      folder,
      make: async () => {
        if (how === 'failed') throw new Error('no plan');
        return { plan: 'plan.jsonl' } as unknown as PlanReport;
      },
      onError: () => {},
      now: () => 0,
    });
    onTestFinished(() => planner.close());
    const source = { from: 'undo', undone: 'k' } as const;
    await planner.begin({ jobId: 'j', source: 'k', by: 'ann' }, async () => ({
      jobId: 'j',
      by: 'ann',
      ...source,
    }));
    if (how !== 'failed') await expect.poll(async () => (await planner.get('j')).state).toBe('made');
    const leaving =
      how === 'applied'
        ? planner.enter('j', async () => {})
        : how === 'discarded'
          ? planner.discard('j', async () => {})
          : undefined;
    while (await planner.has('j')) await new Promise((done) => setImmediate(done));
    expect(existsSync(planner.folderOf('j'))).toBe(false);
    await leaving;
  },
);
