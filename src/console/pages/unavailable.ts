/** A section that is not available in this set-up: its page says why. */
import type { Section } from '../section.ts';
import { html, lines } from './html.ts';
import type { NavItem } from './layout.ts';

export function unavailableSection(nav: NavItem, why: string): Section {
  return {
    nav,
    add: (site) =>
      site.view(nav.path, () => ({
        title: nav.name,
        body: html`<h1>${nav.name}</h1>\n<p class="away">This page shows nothing, because of the console's own settings:</p>\n<pre tabindex="0">${lines(why)}</pre>`,
      })),
  };
}
