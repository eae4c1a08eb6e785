/**
 * The limiters that real APIs have, in a table. Measuring begins when a controller has had time to find the limit: after
 * 20 s (fleets: two minutes after the last start; windows: three windows).
 */
import { buckets } from './families/buckets.ts';
import { demands } from './families/demands.ts';
import { fleets } from './families/fleets.ts';
import { frontEnds, inFlight, ticks, windows } from './families/kinds.ts';
import { latencies, stalls } from './families/latencies.ts';
import { moving } from './families/moving.ts';
import { noises } from './families/noises.ts';
import { strangers } from './families/strangers.ts';
import type { Family } from './family.ts';

export const families: readonly Family[] = [
  ...buckets,
  ...noises,
  ...frontEnds,
  ...ticks,
  ...windows,
  ...inFlight,
  ...moving,
  ...demands,
  ...strangers,
  ...fleets,
  ...latencies,
  ...stalls,
];
