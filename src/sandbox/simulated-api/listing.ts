import { type Answer, ok, validationFailure } from './answers.ts';

const defaultPage = 100;
const largestPage = 1000;

/** What is listed; tokens of one list are invalid for another. */
type ListKind = 'ota-tasks' | 'ota-task-configurations' | `ota-tasks/${string}/devices`;

/** Up to `count` items from position `start` on; `next` is the position of the next page, null at the end. */
type TakePage = (
  start: number,
  count: number,
) => { readonly items: readonly object[]; readonly next: number | null };

/** The answer to an operation that lists: a page under `name`, with a `NextToken` unless it is the last. */
export function listPage(kind: ListKind, name: string, query: unknown, take: TakePage): Answer {
  const { MaxResults, NextToken } = query as { readonly MaxResults?: unknown; readonly NextToken?: unknown };
  const count = MaxResults === undefined ? defaultPage : pageSize(MaxResults);
  if (count === null) {
    return validationFailure(`Value at 'MaxResults' must be a whole number from 1 to ${largestPage}`);
  }
  const start = NextToken === undefined ? 0 : positionOf(kind, NextToken);
  if (start === null) return validationFailure("Value at 'NextToken' is not a token of this operation");
  const { items, next } = take(start, count);
  return ok({ [name]: items, ...(next === null ? {} : { NextToken: tokenFor(kind, next) }) });
}

function pageSize(value: unknown): number | null {
  if (typeof value !== 'string' || !/^\d{1,4}$/.test(value)) return null;
  const count = Number(value);
  return count >= 1 && count <= largestPage ? count : null;
}

function tokenFor(kind: ListKind, position: number): string {
  return Buffer.from(`${kind}/${position}`).toString('base64url');
}

function positionOf(kind: ListKind, token: unknown): number | null {
  if (typeof token !== 'string') return null;
  const position = Number(
    /\/(\d{1,10})$/.exec(Buffer.from(token, 'base64url').toString())?.[1] ?? Number.NaN,
  );
  return tokenFor(kind, position) === token ? position : null;
}
