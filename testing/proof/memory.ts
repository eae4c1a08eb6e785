/** Whether a process takes the memory that it should, and no more of it for more rows. PURE. */

/**
 * In MB. Of a command most is the program itself: 115 to 140 before it has read a row, and two runs of the same differ by up to 24. The most
 * that was seen is 165: this bound is far enough above it to mean something: it finds what holds too much however many rows there are.
 */
export const MAX_PEAK_MB = 200;

/**
 * So many times what a tenth of the rows takes, all of them may take. Of a million rows, beside 140 MB for a tenth, these are 47 bytes for
 * each row more: to hold a row takes more than that.
 */
export const MAX_GROWTH = 1.3;

/**
 * What is wrong with the memory of one process, as a sentence without its full stop; undefined: nothing is.
 * @param what begins the sentence. @param peakMb at its peak, in MB. @param tenthMb the same with a tenth of the rows, where there is that.
 */
export function memoryFault(what: string, peakMb: number, tenthMb?: number): string | undefined {
  if (!(peakMb > 0)) return `${what}: its memory was not measured`;
  if (peakMb > MAX_PEAK_MB) return `${what} took ${peakMb} MB, more than ${MAX_PEAK_MB}`;
  if (tenthMb === undefined || peakMb <= tenthMb * MAX_GROWTH) return undefined;
  return `${what} took ${peakMb} MB, and ${tenthMb} MB with a tenth of the rows: more than ${MAX_GROWTH} times as much`;
}
