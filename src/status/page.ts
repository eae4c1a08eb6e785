/** A status as a page: a complete HTML document without scripts, every text escaped. PURE. */
import { hash } from 'node:crypto';
import { printable } from '../text/printable.ts';
import { shellLine } from '../text/shell.ts';
import { instant } from '../text/times.ts';
import { problemText, statusRows, workerCells, workerHead } from './rows.ts';
import type { Status } from './status.ts';

const style = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:60rem;padding:0 1rem}
h1{font-size:1.25rem}h2{font-size:1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #8884}
code{overflow-wrap:anywhere}td{overflow-wrap:anywhere}`;

/** Seconds after which a browser reloads the page. */
const REFRESH_SECONDS = 10;

/** Must be sent with the page: it loads only its own style, and no other page may frame it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  refresh: String(REFRESH_SECONDS),
};

export function statusPage(status: Status): string {
  const { now, verdict, workers, problems, next } = status;
  const rows = statusRows(status).map(
    ([name, value]) => `<tr><th scope="row">${text(name)}</th><td>${text(value)}</td></tr>`,
  );
  const cells = (tag: 'th' | 'td', all: readonly string[]): string =>
    `<tr>${all.map((cell) => `<${tag}${tag === 'th' ? ' scope="col"' : ''}>${text(cell)}</${tag}>`).join('')}</tr>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${text(verdict.sentence)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${text(verdict.sentence)}.</h1>
<p>ota-updater, ${instant(now)} UTC. Asked again every ${REFRESH_SECONDS} s.</p>
<table>
${rows.join('\n')}
</table>
<h2>Workers</h2>
<table>
${[cells('th', workerHead), ...workers.map((worker) => cells('td', workerCells(worker, now)))].join('\n')}
</table>
${problems.length === 0 ? '' : `<h2>Problems</h2>\n<ul>\n${problems.map((problem) => `<li>${text(problemText(problem, now))}</li>`).join('\n')}\n</ul>`}
${next === undefined ? '' : `<p>Next: <code>${text(shellLine(['ota-updater', ...next]))}</code></p>`}
<p><a href="/status">as JSON</a> · <a href="/readyz">readiness</a> · <a href="/metrics">metrics</a></p>
</main>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text in an element or an attribute. */
function text(value: string): string {
  return printable(value).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
