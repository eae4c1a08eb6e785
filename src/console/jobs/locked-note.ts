/** The note on a page while the ledger accepts no changes. PURE. */
import { type LedgerAway, whatIsAway } from '../../status/status.ts';
import { instant } from '../../text/times.ts';
import { type Html, html } from '../pages/html.ts';

export function lockedNote(locked: LedgerAway | undefined): Html | false {
  if (locked === undefined) return false;
  return html`<p class="away">${whatIsAway(locked)} since ${instant(locked.since)} UTC: ${locked.why}. Pages can still be read; changes are refused until this is over.</p>\n`;
}
