/** Plots as SVG, without a browser. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** A line over time, in seconds. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly second: number; readonly value: number }[];
}

export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const styled: TopLevelSpec = {
    ...spec,
    background: 'white',
    padding: 12,
    config: { font: 'sans-serif', view: { stroke: null }, axis: { grid: true, gridColor: '#e8e8e8' } },
  };
  const view = new View(parse(compile(styled).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Lines over time; those named in `dashed` are drawn as what is allowed, not what was seen. */
export function linesOverTime(
  title: string,
  lines: readonly Line[],
  dashed: readonly string[] = [],
  marks: readonly { readonly second: number; readonly label: string }[] = [],
): TopLevelSpec {
  const values = lines.flatMap(({ name, points }) =>
    points.map(({ second, value }) => ({ line: name, second, value: Math.round(value * 10) / 10 })),
  );
  return {
    title,
    width: 720,
    height: 260,
    layer: [
      {
        data: { values },
        mark: { type: 'line', interpolate: 'linear', strokeWidth: 1.8 },
        encoding: {
          x: { field: 'second', type: 'quantitative', title: 'seconds' },
          y: { field: 'value', type: 'quantitative', title: 'calls per second' },
          color: { field: 'line', type: 'nominal', sort: null, title: null },
          strokeDash: {
            condition: { test: { field: 'line', oneOf: [...dashed] }, value: [5, 4] },
            value: [1, 0],
          },
        },
      },
      {
        data: { values: [...marks] },
        mark: { type: 'rule', color: '#888', strokeDash: [2, 3] },
        encoding: { x: { field: 'second', type: 'quantitative' } },
      },
      {
        // Every other label a line lower, so that neighbours do not overlap.
        data: { values: marks.map((mark, i) => ({ ...mark, top: (i % 2) * 14 })) },
        mark: { type: 'text', align: 'left', dx: 4, baseline: 'top', fontSize: 10 },
        encoding: {
          x: { field: 'second', type: 'quantitative' },
          y: { field: 'top', type: 'quantitative', scale: null, axis: null },
          text: { field: 'label', type: 'nominal' },
        },
      },
    ],
  };
}
