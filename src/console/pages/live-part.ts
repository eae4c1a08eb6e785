/** A part of a page that a stream renews. PURE. */
import { type Html, html } from './html.ts';

/**
 * @param stream one of the site's live paths. An indicator shows whether the part is up to date
 * (web/console.js).
 */
export function livePart(stream: string, first: Html): Html {
  return html`<p class="live-sign" id="live-sign" role="status" hidden></p>
<div id="live" data-live hx-sse:connect="${stream}" hx-swap="innerMorph" hx-config="sse.reconnectMaxDelay:5s">
${first}
</div>`;
}
