/** Whether a line over time is flat. PURE. */
import type { Point } from './svg.ts';

/** The slope of the straight line nearest to the points, per minute; 0 for fewer than two. */
export function slopePerMinute(points: readonly Point[]): number {
  const meanAt = mean(points.map(({ at }) => at));
  const meanValue = mean(points.map(({ value }) => value));
  const spread = sum(points.map(({ at }) => (at - meanAt) ** 2));
  if (spread === 0) return 0;
  return (60 * sum(points.map(({ at, value }) => (at - meanAt) * (value - meanValue)))) / spread;
}

/** The points in the second half of the time. */
export function lastHalf(points: readonly Point[]): Point[] {
  const end = points.at(-1)?.at ?? 0;
  return points.filter(({ at }) => at >= end / 2);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
