/** Refusals and failures as pages; for the API as problems (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../access/refusal.ts';
import { html } from './html.ts';
import type { Page } from './layout.ts';
import { ownPath } from './own-path.ts';
import { OutcomeUnknown, PageError } from './page-error.ts';
import { inFields, inLabels } from './setting-names.ts';

type Show = (request: FastifyRequest, reply: FastifyReply, page: Page) => FastifyReply;

/** A visitor who wants a page without having signed in is sent to the sign-in page. */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, why }: Refusal,
  show: Show,
): FastifyReply {
  const byHand = request.method === 'GET' && request.headers.authorization === undefined;
  if (status === 401 && byHand && wantsPage(request)) return toSignIn(request, reply);
  if (status === 401 && isForm(request)) return reply.redirect(signInPath(pageOf(request), true), 303);
  return answer(request, reply, status, why, show);
}

/**
 * Following a link from another site omits the session's cookie, which is `SameSite=Strict`. The browser is therefore asked
 * to load the page again, from this site.
 */
function toSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const then = ownPath(request.url) ?? '/';
  const path = signInPath(then, false);
  const site = request.headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return reply.redirect(path, 303);
  return reply
    .header('refresh', `0; url=${then}`)
    .type('text/html; charset=utf-8')
    .send('<!doctype html><html lang="en"><title>One moment</title></html>');
}

/** @param ended a form was sent without a session: most likely its session has ended. */
function signInPath(to: string, ended: boolean): string {
  return `/sign-in?${new URLSearchParams({ to, ...(ended && { ended: 'yes' }) })}`;
}

function isForm(request: FastifyRequest): boolean {
  const type = request.headers['content-type'] ?? '';
  return (
    request.headers.authorization === undefined &&
    wantsPage(request) &&
    /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)
  );
}

/** The page that contained the form. */
function pageOf({ headers: { referer = '' } }: FastifyRequest): string {
  const url = URL.canParse(referer) ? new URL(referer) : undefined;
  return ownPath(`${url?.pathname ?? '/'}${url?.search ?? ''}`) ?? '/';
}

export function answerErrors(app: FastifyInstance, show: Show, onError: (error: unknown) => void): void {
  app.setErrorHandler((error, request, reply) => answerFault(error, request, reply, show, onError));
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`);
    for (const one of [method].flat()) routes.push({ path, method: one });
  });
  app.setNotFoundHandler((request, reply) => {
    if (wantsPage(request)) return answer(request, reply, 404, 'There is no such page.', show);
    const asked = pathOf(request);
    const methods = [...new Set(routes.filter(({ path }) => path.test(asked)).map(({ method }) => method))];
    if (methods.length === 0)
      return answer(request, reply, 404, 'There is no such address in the API.', show);
    const why = `${request.method} is not served here: use ${methods.join(' or ')}.`;
    return answer(request, reply.header('allow', methods.join(', ')), 405, why, show);
  });
}

/** Answers an error thrown by a route, or by Fastify before a route was found. */
export function answerFault(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  show: Show,
  onError: (error: unknown) => void,
): FastifyReply {
  const status = statusOf(error);
  const ours = status >= 500 && !(error instanceof PageError);
  if (ours) onError(error);
  const why = ours ? 'The console has failed. Its log says how.' : messageOf(error, status);
  // A failed request may have done something before.
  return answer(request, reply, status, why, show, !(ours || error instanceof OutcomeUnknown));
}

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  why: string,
  show: Show,
  unchanged = true,
): FastifyReply {
  const title = STATUS_CODES[status] ?? 'Error';
  if (!wantsPage(request))
    return reply
      .code(status)
      .type('application/problem+json')
      .header('cache-control', 'no-store')
      .send(JSON.stringify({ type: 'about:blank', title, status, detail: inFields(why) }));
  const back =
    request.method === 'GET'
      ? undefined
      : html`<p>${unchanged && 'Nothing was changed. '}<a href="${pageOf(request)}" data-keep-draft>Back to the page</a></p>`;
  return show(request, reply.code(status), {
    title,
    body: html`<h1>${title}</h1>\n<p class="fault" role="alert">${inLabels(why)}</p>\n${back}`,
  });
}

function wantsPage(request: FastifyRequest): boolean {
  return !/^\/(api|live)\//.test(pathOf(request));
}

/** In the form that the router uses: without a server name, and decoded. */
function pathOf({ url }: FastifyRequest): string {
  const path = url.replace(/[?#].*/s, '').replace(/^https?:\/\/.*?\//, '/');
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function statusOf(error: unknown): number {
  if (error instanceof PageError) return error.status;
  const { statusCode } = error as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500;
}

function messageOf(error: unknown, status: number): string {
  if (error instanceof PageError) return error.message;
  if (status === 429) return 'Too many attempts. Wait a minute.';
  if (status === 413) return 'What was sent is too large.';
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string' && code in ofFastify) return ofFastify[code] ?? '';
  return error instanceof Error ? error.message : String(error);
}

/** Fastify's messages about requests, in the words of a page. */
const ofFastify: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address is not valid: what follows a % in it must be UTF-8 in hexadecimal digits.',
  FST_ERR_MAX_PARAM_LENGTH: 'The address has a name that is longer than any name here.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The Content-Type of the body is not supported here.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not JSON, although its Content-Type says so.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty, although its Content-Type says that it is JSON.',
  FST_CP_ERR_INVALID_CONTENT: 'The body cannot be unpacked: it is not what its Content-Encoding says.',
  FST_CP_ERR_INVALID_CONTENT_ENCODING: 'The Content-Encoding of the body is not supported here.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as its Content-Length says.',
};
