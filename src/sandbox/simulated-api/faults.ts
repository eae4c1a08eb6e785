/** Draws the fault and the latency of a call at random. */
import { type Fault, type FaultSettings, faultNames, type LatencySettings } from './settings.ts';

/** A source of randomness, uniform in [0, 1). */
export type Random = () => number;

/**
 * A function that draws the fault of a call, or null, by the shares in `settings`. It uses one random number per call, and
 * none while every share is 0.
 */
export function faultDrawer(settings: FaultSettings, random: Random): () => Fault | null {
  const bounds: { readonly fault: Fault; readonly below: number }[] = [];
  let below = 0;
  for (const fault of faultNames) {
    if (settings[fault] === 0) continue;
    below += settings[fault];
    bounds.push({ fault, below });
  }
  if (bounds.length === 0) return () => null;
  return () => {
    const drawn = random();
    return bounds.find((bound) => drawn < bound.below)?.fault ?? null;
  };
}

/** A function that draws the latency of a call, in milliseconds. It uses no random number while the latency is fixed. */
export function latencyDrawer(settings: LatencySettings, random: Random): () => number {
  if (!Array.isArray(settings)) return uniform(settings.minMs, settings.maxMs, random);
  let total = 0;
  const bounds = settings.map(({ weight, minMs, maxMs }) => {
    total += weight;
    return { below: total, draw: uniform(minMs, maxMs, random) };
  });
  const last = bounds.at(-1);
  if (last === undefined) return () => 0;
  if (bounds.length === 1) return last.draw;
  return () => {
    const drawn = random() * total;
    return (bounds.find((bound) => drawn < bound.below) ?? last).draw();
  };
}

function uniform(minMs: number, maxMs: number, random: Random): () => number {
  if (minMs === maxMs) return () => minMs;
  return () => minMs + random() * (maxMs - minMs);
}
