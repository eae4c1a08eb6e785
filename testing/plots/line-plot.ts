/** Lines over time as SVG, one panel each, and their slope. PURE. */
export interface Point {
  /** Seconds. */
  readonly at: number;
  readonly value: number;
}

export interface Panel {
  readonly title: string;
  readonly points: readonly Point[];
}

/** The slope of the straight line nearest to the points, per minute; 0 for fewer than two. */
export function slopePerMinute(points: readonly Point[]): number {
  const meanAt = mean(points.map(({ at }) => at));
  const meanValue = mean(points.map(({ value }) => value));
  const spread = sum(points.map(({ at }) => (at - meanAt) ** 2));
  if (spread === 0) return 0;
  return (60 * sum(points.map(({ at, value }) => (at - meanAt) * (value - meanValue)))) / spread;
}

/** Those of the second half of the time. */
export function lastHalf(points: readonly Point[]): Point[] {
  const end = points.at(-1)?.at ?? 0;
  return points.filter(({ at }) => at >= end / 2);
}

const WIDTH = 720;
const HEIGHT = 130;
const LEFT = 60;
const TOP = 24;

export function plot(panels: readonly Panel[]): string {
  const body = panels.map(
    (panel, i) => `<g transform="translate(0 ${i * (HEIGHT + 40)})">${draw(panel)}</g>`,
  );
  const height = panels.length * (HEIGHT + 40) + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH + LEFT + 20}" height="${height}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>${body.join('')}</svg>\n`;
}

function draw({ title, points }: Panel): string {
  const end = Math.max(1, points.at(-1)?.at ?? 1);
  const values = points.map(({ value }) => value);
  const top = Math.max(1, ...values) * 1.1;
  const x = (at: number): number => round(LEFT + (at / end) * WIDTH);
  const y = (value: number): number => round(TOP + HEIGHT * (1 - value / top));
  const line = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ');
  const ticks = [0, top / 2, top].map(
    (value) =>
      `<line x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#e8e8e8"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${value.toFixed(value < 10 ? 1 : 0)}</text>`,
  );
  const half = `<line x1="${x(end / 2)}" x2="${x(end / 2)}" y1="${TOP}" y2="${TOP + HEIGHT}" stroke="#bbb" stroke-dasharray="3 3"/>`;
  const label = `<text x="${LEFT + WIDTH}" y="${TOP + HEIGHT + 13}" text-anchor="end">${(end / 60).toFixed(1)} minutes</text>`;
  return `<text x="${LEFT}" y="14" font-size="13">${title}</text>${ticks.join('')}${half}<polyline points="${line}" fill="none" stroke="#4c78a8" stroke-width="1.8"/>${label}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
