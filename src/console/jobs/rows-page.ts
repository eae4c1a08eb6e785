/** A page of a job's rows. PURE. */
import type { LedgerRow, RowFilter, RowPage } from '../../jobs/ledger/row.ts';
import { rowStates } from '../../jobs/ledger/row.ts';
import type { LeftOutRow, TaskChange } from '../../jobs/plan/format.ts';
import { number } from '../../text/numbers.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { table } from '../pages/table.ts';
import { jobPath, rowsPath } from './paths.ts';

export interface RowsSeen {
  readonly jobId: string;
  readonly filter: RowFilter;
  readonly after: number;
  readonly page: RowPage;
  /** The job's errors and reasons. */
  readonly causes: readonly string[];
}

export const rowFilterStates = ['failed', ...rowStates, 'left-out'] as const;

export function rowsPage({ jobId, filter, after, page, causes }: RowsSeen): Page {
  const { rows, next } = page;
  return {
    title: `Rows of ${jobId}`,
    assets: ['jobs.css'],
    body: html`<h1>Rows of job <a href="${jobPath(jobId)}">${jobId}</a></h1>
<form method="get" action="${jobPath(jobId, '/rows')}" class="filter" role="search">
<div><label for="state">State</label><select id="state" name="state">${option('', 'any', filter.state ?? '')}${rowFilterStates.map((state) => option(state, state, filter.state ?? ''))}</select></div>
<div><label for="cause">Error</label><select id="cause" name="cause">${option('', 'any', filter.cause ?? '')}${causes.map((cause) => option(cause, cause, filter.cause ?? ''))}</select></div>
<div><label for="identifier">Identifier begins with</label><input id="identifier" name="identifier" value="${filter.identifier ?? ''}" maxlength="200" pattern="[A-Za-z0-9]*"></div>
<div><label for="after">After row</label><input id="after" name="after" inputmode="numeric" pattern="[0-9]*" value="${after === 0 ? '' : after}"></div>
<button type="submit">Show</button>
</form>
${rows.length === 0 ? html`<p>${next === undefined ? 'There are no such rows.' : `There are no such rows up to row ${number(next)}.`}</p>` : table('Table of rows', ['Row', 'Identifier', 'State', 'Before', 'New', 'How it ended', 'Tries', 'When'], rows.map(cells))}
<p class="buttons">${after > 0 && html`<a class="button" href="${rowsPath(jobId, filter)}">First page</a>\n`}${next !== undefined && html`<a class="button" rel="next" href="${rowsPath(jobId, filter, next)}">${rows.length === 0 ? 'Continue searching' : 'Next page'}</a>`}</p>`,
  };
}

function option(value: string, text: string, chosen: string): Html {
  return html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`;
}

function cells(row: LedgerRow | LeftOutRow): readonly (string | Html)[] {
  const identifier = row.Identifier ?? '';
  if ('LeftOut' in row)
    return [
      number(row.Row),
      identifier,
      `left out: ${row.LeftOut}`,
      '',
      values(row),
      row.Reason ?? '',
      '',
      '',
    ];
  const { reason, error, at } = row.end;
  const how = [error?.name ?? reason, error?.message].filter((text) => text !== undefined).join(': ');
  return [
    number(row.Row),
    identifier,
    row.reconciled ? `${row.state}, reconciled` : row.state,
    row.Former === undefined ? 'not known' : values(row.Former),
    values(row),
    how,
    `${row.try}${row.sends > row.try ? `, sent ${row.sends} times` : ''}`,
    at ?? '',
  ];
}

function values({ Description, TaskConfigurationId }: TaskChange): string {
  return [
    ...(TaskConfigurationId === undefined
      ? []
      : [TaskConfigurationId === '' ? 'no configuration' : TaskConfigurationId]),
    ...(Description === undefined ? [] : [`"${Description}"`]),
  ].join(', ');
}
