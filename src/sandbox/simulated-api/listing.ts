import { type Answer, ok, validationFailure } from './answers.ts';
import type { TaskStore } from './tasks.ts';

const defaultPage = 100;
const largestPage = 1000;

/** The answer to ListOtaTasks: a page of `Tasks`, with a `NextToken` unless it is the last. */
export function listTasks(tasks: TaskStore, query: unknown): Answer {
  const { MaxResults, NextToken } = query as { readonly MaxResults?: unknown; readonly NextToken?: unknown };
  const count = MaxResults === undefined ? defaultPage : pageSize(MaxResults);
  if (count === null) {
    return validationFailure(`Value at 'MaxResults' must be a whole number from 1 to ${largestPage}`);
  }
  const start = NextToken === undefined ? 0 : positionOf(NextToken);
  if (start === null) return validationFailure("Value at 'NextToken' is not a token of this operation");
  const page = tasks.page(start, count);
  return ok({ Tasks: page.tasks, ...(page.next === null ? {} : { NextToken: tokenFor(page.next) }) });
}

function pageSize(value: unknown): number | null {
  if (typeof value !== 'string' || !/^\d{1,4}$/.test(value)) return null;
  const count = Number(value);
  return count >= 1 && count <= largestPage ? count : null;
}

function tokenFor(position: number): string {
  return Buffer.from(`ota-tasks/${position}`).toString('base64url');
}

function positionOf(token: unknown): number | null {
  if (typeof token !== 'string') return null;
  const position = Number(
    /^ota-tasks\/(\d{1,10})$/.exec(Buffer.from(token, 'base64url').toString())?.[1] ?? Number.NaN,
  );
  return tokenFor(position) === token ? position : null;
}
