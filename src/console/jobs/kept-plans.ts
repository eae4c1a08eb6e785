/** Plans that are made, as they are kept for the next process: a folder each, with a file that says what they are. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_MODE } from '../../files/private.ts';
import type { PlanReport } from '../../jobs/plan/summary.ts';

export interface KeptPlan {
  /** For people. */
  readonly source: string;
  /** Who had it made. */
  readonly by: string;
  readonly report: PlanReport;
}

const REPORT_FILE = 'report.json';
/** A job's name may be `..`. */
const PREFIX = 'p-';

/** @param folder holds those of all plans. */
export function planFolder(folder: string, jobId: string): string {
  return join(folder, `${PREFIX}${jobId}`);
}

/** From now on it is one of {@link keptPlans}. @param own its folder. */
export async function keepMade(own: string, { report, ...rest }: KeptPlan): Promise<void> {
  const kept = { ...rest, report: { ...report, rateLimit: limitJson(report.rateLimit) } };
  await writeFile(join(own, REPORT_FILE), JSON.stringify(kept), { mode: FILE_MODE });
}

/** The last made last. What was being made is removed. @param onError told where it cannot be. */
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
