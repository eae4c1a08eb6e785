/** Charts as SVG, without a browser: lines over time, and bars. PURE. */

export interface Point {
  /** Seconds. */
  readonly at: number;
  readonly value: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  /** Drawn as a limit rather than as a measurement. */
  readonly dashed?: boolean;
  /** Default: the next colour of the palette. */
  readonly color?: string;
}

export interface LineChart {
  readonly title: string;
  /** Unit of the values. */
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Moments to label. */
  readonly marks?: readonly { readonly at: number; readonly label: string }[];
  /** End of the axis; default: the greatest value. */
  readonly top?: number;
}

export interface BarChart {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number; readonly highlighted?: boolean }[];
}

export const palette = ['#1f77b4', '#d1495b', '#8a9a1b', '#7b5ea7', '#e08e2b'] as const;
const LIMIT_COLOR = '#555';
const BAR_COLOR = '#b0b7c0';

const WIDTH = 860;
const LINES = { height: 240, left: 60, right: 150, top: 34, bottom: 40 };
const BARS = { height: 22, left: 200, right: 80, top: 34, bottom: 16 };
/** Approximate width of a letter in pixels. */
const LETTER = 6;

/** Line charts, one below the other. */
export function lineCharts(charts: readonly LineChart[]): string {
  return stack(charts.map((chart) => ({ height: LINES.height, body: drawLines(chart) })));
}

/** Bar charts, one below the other, each with its own scale. */
export function barCharts(charts: readonly BarChart[]): string {
  return stack(
    charts.map((chart) => ({
      height: BARS.top + chart.bars.length * BARS.height + BARS.bottom,
      body: drawBars(chart),
    })),
  );
}

function stack(parts: readonly { readonly height: number; readonly body: string }[]): string {
  let y = 0;
  const groups = parts.map(({ height, body }) => {
    const group = `<g transform="translate(0 ${y})">\n${body}</g>\n`;
    y += height;
    return group;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${y}" fill="#fff"/>
${groups.join('')}</svg>
`;
}

function drawLines({ title, unit, lines, marks = [], top: asked }: LineChart): string {
  const points = lines.flatMap((line) => line.points);
  const end = Math.max(1, ...points.map(({ at }) => at));
  const top = asked ?? Math.max(1, ...points.map(({ value }) => value));
  const right = WIDTH - LINES.right;
  const bottom = LINES.height - LINES.bottom;
  const x = (second: number): number => LINES.left + (second / end) * (right - LINES.left);
  const y = (value: number): number => bottom - (Math.min(value, top) / top) * (bottom - LINES.top);
  const parts = [heading(title, LINES.left)];
  for (const value of ticks(top)) {
    parts.push(
      `<path d="M${LINES.left} ${at(y(value))}H${right}" stroke="#ddd"/>`,
      `<text x="${LINES.left - 6}" y="${at(y(value) + 4)}" text-anchor="end">${value}</text>`,
    );
  }
  for (const second of ticks(end))
    parts.push(`<text x="${at(x(second))}" y="${bottom + 16}" text-anchor="middle">${second}</text>`);
  const middle = (LINES.top + bottom) / 2;
  parts.push(
    `<text x="${(LINES.left + right) / 2}" y="${bottom + 32}" text-anchor="middle">seconds</text>`,
    `<text x="16" y="${middle}" text-anchor="middle" transform="rotate(-90 16 ${middle})">${escaped(unit)}</text>`,
  );
  for (const [i, mark] of marks.entries()) {
    // Every other label is one line lower, so that neighbours do not overlap.
    const labelY = LINES.top + 10 + (i % 2) * 14;
    parts.push(
      `<path d="M${at(x(mark.at))} ${LINES.top}V${bottom}" stroke="#888" stroke-dasharray="2 3"/>`,
      `<text x="${at(x(mark.at) + 4)}" y="${labelY}" font-size="10">${escaped(mark.label)}</text>`,
    );
  }
  for (const [i, line] of lines.entries()) {
    const color = line.color ?? (line.dashed ? LIMIT_COLOR : palette[i % palette.length]);
    const stroke = `fill="none" stroke="${color}" stroke-width="1.6"${line.dashed ? ' stroke-dasharray="6 4"' : ''}`;
    const path = line.points.map((point) => `${at(x(point.at))},${at(y(point.value))}`).join(' ');
    const legend = LINES.top + 8 + i * 18;
    parts.push(
      `<polyline points="${path}" ${stroke}/>`,
      `<path d="M${right + 12} ${legend}h22" ${stroke}/>`,
      `<text x="${right + 40}" y="${legend + 4}">${escaped(line.name)}</text>`,
    );
  }
  return `${parts.join('\n')}\n`;
}

function drawBars({ title, bars }: BarChart): string {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const longest = Math.max(0, ...bars.map(({ name }) => name.length));
  const left = Math.max(BARS.left, longest * LETTER + 20);
  const rows = bars.map(({ name, value, highlighted }, i) => {
    const y = BARS.top + i * BARS.height;
    const width = (value / most) * (WIDTH - left - BARS.right);
    return [
      `<text x="${left - 6}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>`,
      `<rect x="${left}" y="${y}" width="${at(width)}" height="${BARS.height - 4}" fill="${highlighted ? palette[0] : BAR_COLOR}"/>`,
      `<text x="${at(left + width + 4)}" y="${y + 14}">${Math.round(value)}</text>`,
    ].join('\n');
  });
  return `${[heading(title, left), ...rows].join('\n')}\n`;
}

function heading(title: string, x: number): string {
  return `<text x="${x}" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>`;
}

/** Four to ten round values from 0 to the end. */
function ticks(end: number): number[] {
  const power = 10 ** Math.floor(Math.log10(end));
  const step = [0.1, 0.2, 0.5, 1].map((share) => share * power).find((each) => end / each <= 10) ?? power;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) =>
    Number((i * step).toPrecision(6)),
  );
}

function at(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
