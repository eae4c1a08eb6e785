/** The frame of every page: title, navigation, the signed-in user. PURE. */

import { mayChange, type Visitor } from '../access/visitor.ts';
import type { AssetName } from '../assets.ts';
import { type Html, html } from './html.ts';

/** The content of a page. */
export interface Page {
  /** Plain text. */
  readonly title: string;
  readonly body: Html;
  /** Scripts and styles in addition to those of every page. */
  readonly assets?: readonly AssetName[];
  /** It has a live part: without JavaScript, the browser reloads it from time to time. */
  readonly live?: boolean;
}

export interface NavItem {
  readonly path: string;
  readonly name: string;
}

interface Surroundings {
  readonly nav: readonly NavItem[];
  /** The path of the page, without its query. */
  readonly path: string;
  /** undefined: nobody has signed in. */
  readonly visitor?: Visitor | undefined;
  readonly urlOf: (asset: AssetName) => string;
}

const first: readonly AssetName[] = ['console.css', 'htmx.js', 'htmx-sse.js'];

/** `includeIndicatorCSS` would add an inline style; error answers must not be put into the page. */
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  mode: 'same-origin',
  noSwap: [204, 304, '4xx', '5xx'],
});

export function wholePage(
  { title, body, assets = [], live = false }: Page,
  { nav, path, visitor, urlOf }: Surroundings,
): string {
  const all = [...first, ...assets, 'console.js', 'drafts.js'] as const;
  const head = all.map((name) =>
    name.endsWith('.css')
      ? html`<link rel="stylesheet" href="${urlOf(name)}">\n`
      : html`<script src="${urlOf(name)}" defer></script>\n`,
  );
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="htmx-config" content="${HTMX_CONFIG}">
${live && html`<noscript><meta http-equiv="refresh" content="10"></noscript>\n`}<title>${title} · ota-updater</title>
<link rel="icon" href="${urlOf('icon.svg')}">
${head}</head>
<body>
<a class="skip" href="#main">Skip to the page</a>
<header class="top">
<span class="product">ota-updater</span>
${visitor && navigation(nav, path)}
${visitor && account(visitor)}
</header>
<main id="main" tabindex="-1">
${body}
</main>
</body>
</html>
`);
}

function navigation(nav: readonly NavItem[], path: string): Html {
  return html`<nav aria-label="Pages"><ul>${nav.map((item) => {
    const inside = item.path === '/' ? path === '/' : path === item.path || path.startsWith(`${item.path}/`);
    return html`<li><a href="${item.path}"${inside && html` aria-current="page"`}>${item.name}</a></li>`;
  })}</ul></nav>`;
}

function account(visitor: Visitor): Html {
  if (visitor.by === 'nobody')
    return html`<p class="account">reading is open · <a href="/sign-in">sign in</a></p>`;
  const out =
    visitor.by === 'session' &&
    html`<form method="post" action="/sign-out">${formTokenField(visitor)}<button type="submit" class="plain">Sign out</button></form>`;
  return html`<div class="account"><span>${visitor.name}${!mayChange(visitor) && ' (viewer)'}</span>${out}</div>`;
}

/** Required in every form that changes something. */
export function formTokenField({ formToken }: Visitor): Html {
  return html`<input type="hidden" name="formToken" value="${formToken ?? ''}">`;
}
