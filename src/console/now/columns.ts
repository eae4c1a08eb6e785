/** Samples in columns, as the chart needs them. PURE. */
import type { Sample } from './samples.ts';

/** Their path in the API, after its prefix. */
export const SAMPLES = '/samples';

/** Time, applied, in force, limit found, ceiling, 429s. */
export const sampleNames = ['at', 'applied', 'inForce', 'limit', 'ceiling', 'throttled'] as const;

/** One list of values for each of the names. */
export function sampleColumns(samples: readonly Sample[]): readonly (readonly (number | null)[])[] {
  return sampleNames.map((name) => samples.map((sample) => sample[name]));
}
