/** Whether a process takes the expected memory, independent of the number of rows. PURE. */

/**
 * In MB. Most of a command's memory is the program itself: 115 to 140 before it has read a row, and two equal runs differ by up to 24. The
 * maximum seen is 165. This limit is far enough above it to be meaningful: it detects a process that holds too much for any number of rows.
 */
export const MAX_PEAK_MB = 200;

/**
 * All rows may take at most this many times what a tenth of the rows takes. For a million rows, next to 140 MB for a tenth, that is 47
 * bytes per additional row, less than holding a row takes.
 */
export const MAX_GROWTH = 1.3;

/**
 * The fault of a process's memory, as a sentence without its full stop; undefined: none.
 * @param what begins the sentence. @param peakMb at its peak, in MB. @param tenthMb the same with a tenth of the rows, if measured.
 */
export function memoryFault(what: string, peakMb: number, tenthMb?: number): string | undefined {
  if (!(peakMb > 0)) return `${what}: its memory was not measured`;
  if (peakMb > MAX_PEAK_MB) return `${what} took ${peakMb} MB, more than ${MAX_PEAK_MB}`;
  if (tenthMb === undefined || peakMb <= tenthMb * MAX_GROWTH) return undefined;
  return `${what} took ${peakMb} MB, and ${tenthMb} MB with a tenth of the rows: more than ${MAX_GROWTH} times as much`;
}
