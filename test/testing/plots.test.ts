import { expect, test } from 'vitest';
import { lastHalf, slopePerMinute } from '../../testing/plots/slope.ts';
import { barCharts, lineCharts } from '../../testing/plots/svg.ts';

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

test('a chart has a line for each series, one of no points too, and names what it shows', () => {
  const svg = lineCharts([
    {
      title: 'a < b',
      unit: 'MB',
      lines: [
        { name: 'seen', points: line(1) },
        { name: 'limit', points: [], dashed: true },
      ],
      marks: [{ at: 60, label: 'a minute' }],
    },
  ]);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).toContain('a &#60; b');
  expect(svg).toContain('>a minute<');
  expect(svg).not.toContain('NaN');
});

test('a bar is as long as its share of the longest', () => {
  const bars = [
    { name: 'one', value: 100, highlighted: true },
    { name: 'two', value: 50 },
  ];
  const widths = [...barCharts([{ title: 'x', bars }]).matchAll(/<rect x="200"[^>]* width="([\d.]+)"/g)];
  const [longest = 0, half = 0] = widths.map(([, width]) => Number(width));
  expect(half).toBeCloseTo(longest / 2);
});
