/**
 * The last hour as numbers for a chart: one sample every few seconds; the oldest is dropped. PURE, except for its memory.
 */
import type { Status } from '../../status/status.ts';

/** Rates are per second; null if unknown, or without a limit. */
export interface Sample {
  /** Epoch seconds, as the chart needs them. */
  readonly at: number;
  readonly applied: number | null;
  readonly inForce: number | null;
  readonly limit: number | null;
  readonly ceiling: number | null;
  readonly throttled: number | null;
}

/** An hour, at one sample every 5 s. */
const MOST = 720;

export class Samples {
  readonly #samples: Sample[] = [];
  #before: { readonly at: number; readonly throttled: number; readonly workers: string } | undefined;

  add(status: Status): Sample {
    const sample = { ...sampleOf(status), throttled: this.#throttledPerSecond(status) };
    this.#samples.push(sample);
    if (this.#samples.length > MOST) this.#samples.shift();
    return sample;
  }

  all(): readonly Sample[] {
    return this.#samples;
  }

  /** Workers count since their starts, so the rate is unknown if the set of workers has changed. */
  #throttledPerSecond({ now, totals, workers }: Status): number | null {
    const before = this.#before;
    const ids = workers.map((worker) => (worker.ok ? worker.status.worker : '')).sort();
    this.#before = { at: now, throttled: totals.calls.throttled, workers: ids.join(' ') };
    if (before === undefined || before.workers !== this.#before.workers || now <= before.at) return null;
    return Math.max(0, (1_000 * (totals.calls.throttled - before.throttled)) / (now - before.at));
  }
}

function sampleOf({ now, totals, workers }: Status): Omit<Sample, 'throttled'> {
  const at = Math.round(now / 1_000);
  if (!workers.some(({ ok }) => ok)) return { at, applied: null, inForce: null, limit: null, ceiling: null };
  const { rate, finishedPerSecond } = totals;
  return {
    at,
    applied: finishedPerSecond,
    inForce: rate.inForce,
    limit: rate.apiLimit?.perSecond ?? null,
    ceiling: rate.ceiling,
  };
}
