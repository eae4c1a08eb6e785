import { expect, test } from 'vitest';
import { lastHalf, plot, slopePerMinute } from '../../testing/plots/line-plot.ts';

const line = (perMinute: number) =>
  Array.from({ length: 20 }, (_, i) => ({
    at: i * 10,
    value: 5 + (i * 10 * perMinute) / 60 + (i % 2) * 0.01,
  }));

test('the slope is that of the line through the points', () => {
  expect(slopePerMinute(line(0.5))).toBeCloseTo(0.5, 1);
  expect(slopePerMinute(line(-2))).toBeCloseTo(-2, 1);
  expect(slopePerMinute([])).toBe(0);
});

test('the last half leaves out what was before', () => {
  const points = [
    ...line(9)
      .slice(0, 9)
      .map(({ at }) => ({ at, value: at })),
    ...line(0).slice(10),
  ];
  expect(slopePerMinute(lastHalf(points))).toBeCloseTo(0, 1);
});

test('the plot has a line for each panel', () => {
  const svg = plot([
    { title: 'one', points: line(1) },
    { title: 'two', points: [] },
  ]);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
});
