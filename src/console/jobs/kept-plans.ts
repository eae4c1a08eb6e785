/** Finished plans, stored for the next process: one folder each, with a file that describes the plan. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_MODE } from '../../files/private.ts';
import type { PlanReport } from '../../jobs/plan/summary.ts';

export interface KeptPlan {
  /** For people. */
  readonly source: string;
  /** Who requested it. */
  readonly by: string;
  readonly report: PlanReport;
}

const REPORT_FILE = 'report.json';
/** A prefix, since a job may be named `..`. */
const PREFIX = 'p-';

/** @param folder contains the folders of all plans. */
export function planFolder(folder: string, jobId: string): string {
  return join(folder, `${PREFIX}${jobId}`);
}

/** From now on {@link keptPlans} includes the plan. @param own its folder. */
export async function keepMade(own: string, { report, ...rest }: KeptPlan): Promise<void> {
  const kept = { ...rest, report: { ...report, rateLimit: limitJson(report.rateLimit) } };
  await writeFile(join(own, REPORT_FILE), JSON.stringify(kept), { mode: FILE_MODE });
}

/** The plans, latest last. Unfinished plans are removed. @param onError called if that fails. */
export async function keptPlans(
  folder: string,
  onError: (error: unknown) => void,
): Promise<readonly (KeptPlan & { readonly jobId: string })[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const found: { readonly at: number; readonly plan: KeptPlan & { readonly jobId: string } }[] = [];
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const path = join(folder, name, REPORT_FILE);
    try {
      const { source, by, report } = JSON.parse(await readFile(path, 'utf8'));
      const { mtimeMs } = await stat(path);
      const rateLimit = report.rateLimit ?? Number.POSITIVE_INFINITY;
      found.push({
        at: mtimeMs,
        plan: { jobId: name.slice(PREFIX.length), source, by, report: { ...report, rateLimit } },
      });
    } catch {
      await rm(join(folder, name), { recursive: true, force: true }).catch(onError);
    }
  }
  return found.sort((a, b) => a.at - b.at).map(({ plan }) => plan);
}

/** JSON has no infinity. */
const limitJson = (limit: number): number | null => (Number.isFinite(limit) ? limit : null);
