/** A job's rows as a bar. PURE. */
import type { Counts } from '../../jobs/ledger/job.ts';
import { number } from '../../text/numbers.ts';
import { type Html, html } from '../pages/html.ts';

/** Width of the drawing, whatever the width of the bar. */
const WIDTH = 1_000;

const parts = [
  ['applied', 'applied'],
  ['superseded', 'superseded'],
  ['failed', 'failed'],
  ['notSent', 'cancelled'],
  ['inFlight', 'in flight'],
] as const;

/** @param total rows of the job, including those not yet in the ledger. */
export function bar(counts: Counts, total: number): Html {
  const some = parts.filter(([part]) => counts[part] > 0);
  const text = some.map(([part, name]) => `${number(counts[part])} ${name}`).join(', ');
  let x = 0;
  const drawn = some.map(([part]) => {
    const width = (WIDTH * counts[part]) / Math.max(1, total);
    const rect = html`<rect class="${part}" x="${x.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="10"></rect>`;
    x += width;
    return rect;
  });
  const label = `${number(counts.ended)} of ${number(total)} rows ended${text === '' ? '' : `: ${text}`}`;
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" role="img" aria-label="${label}">${drawn}</svg>`;
}
