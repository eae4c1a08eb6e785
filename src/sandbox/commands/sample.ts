/** A file of updates to try the sandbox with. PURE. */

/** Enough rows to watch a job: 25 s at 200 calls/s. */
export const SAMPLE_ROWS = 5_000;

/** One row in two hundred names a task that does not exist: a report with failures is more instructive. */
const UNKNOWN_EVERY = 200;

/** CSV with a header row. The same every time. */
export function sampleRows(): string {
  const rows = Array.from({ length: SAMPLE_ROWS }, (_, i) => {
    const name = `${i % UNKNOWN_EVERY === UNKNOWN_EVERY - 1 ? 'unknown' : 'pump'}${String(i + 1).padStart(4, '0')}`;
    return `${name},Roll-out 7,cfgB7\n`;
  });
  return `Identifier,Description,TaskConfigurationId\n${rows.join('')}`;
}
