/** Samples in columns, as the chart takes them. PURE. */
import type { Sample } from './samples.ts';

/** Where the API has them, behind its prefix. */
export const SAMPLES = '/samples';

/** The time, applied, in force, limit found, ceiling, 429s. */
export const sampleNames = ['at', 'applied', 'inForce', 'limit', 'ceiling', 'throttled'] as const;

/** One list of values for each of the names. */
export function sampleColumns(samples: readonly Sample[]): readonly (readonly (number | null)[])[] {
  return sampleNames.map((name) => samples.map((sample) => sample[name]));
}
