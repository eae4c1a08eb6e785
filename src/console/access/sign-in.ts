/** Signing in with a token, and signing out. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { ownPath } from '../pages/own-path.ts';
import { SESSION_COOKIE } from './gate.ts';
import { type Guesses, TOO_MANY } from './guesses.ts';
import { isFromOwnPage } from './origins.ts';
import { openSession, SESSION_MS, sealSession } from './session.ts';
import { type Holder, holderOf } from './tokens.ts';

/** Sign-in requests allowed per address and minute, with any token: no person needs more. */
const MOST_ATTEMPTS = 100;

interface SignInOptions {
  readonly holders: () => readonly Holder[];
  /** From CONSOLE_HOSTS. */
  readonly hosts: readonly string[];
  readonly now: () => number;
  /** Wrong tokens, by address. */
  readonly guesses: Pick<Guesses, 'isUsedUp' | 'count'>;
  readonly signOut: (id: string, until: number) => Promise<void>;
  readonly show: (request: FastifyRequest, reply: FastifyReply, page: Page) => FastifyReply;
}

export function addSignIn(
  app: FastifyInstance,
  { holders, hosts, now, guesses, signOut, show }: SignInOptions,
): void {
  const config = { access: 'open' } as const;
  app.get('/sign-in', { config }, (request, reply) =>
    show(request, reply, signInPage(wanted(request.query), holders().length > 0, ended(request.query))),
  );
  app.post(
    '/sign-in',
    { config: { ...config, rateLimit: { max: MOST_ATTEMPTS, timeWindow: 60_000 } } },
    (request, reply) => {
      const then = wanted(request.body);
      if (!isFromOwnPage(request.headers, hosts))
        return show(
          request,
          reply.code(403),
          signInPage(then, true, 'The form did not come from this page. Try again.'),
        );
      if (guesses.isUsedUp(request.ip))
        return show(request, reply.code(429), signInPage(then, true, `Nobody was signed in: ${TOO_MANY}.`));
      const holder = holderOf(holders(), text(request.body, 'token').trim());
      if (holder === undefined) {
        guesses.count(request.ip);
        return show(
          request,
          reply.code(401),
          signInPage(then, true, 'This console does not know this token.'),
        );
      }
      const until = now() + SESSION_MS;
      const cookie = sealSession({ holder, until, id: randomBytes(16).toString('base64url') });
      return reply
        .setCookie(SESSION_COOKIE, cookie, { ...cookieOptions, maxAge: SESSION_MS / 1_000 })
        .redirect(then, 303);
    },
  );
  app.post('/sign-out', async (request, reply) => {
    const session = openSession(request.cookies[SESSION_COOKIE] ?? '', holders(), now());
    if (session !== undefined) await signOut(session.id, session.until);
    return reply.clearCookie(SESSION_COOKIE, cookieOptions).redirect('/sign-in', 303);
  });
}

/** `secure: 'auto'`: if the browser uses TLS, to us or to a trusted proxy. */
const cookieOptions = { path: '/', httpOnly: true, sameSite: 'strict', secure: 'auto' } as const;

/** Whether a form was sent without a session. */
function ended(query: unknown): string | undefined {
  if (text(query, 'ended') === '') return undefined;
  return 'You are no longer signed in: nothing was changed. Sign in, and send the form again.';
}

/** The page that the visitor wanted. */
function wanted(from: unknown): string {
  const then = ownPath(text(from, 'to'));
  return then === undefined || then.startsWith('/sign-') ? '/' : then;
}

function text(from: unknown, name: string): string {
  const value =
    typeof from === 'object' && from !== null ? (from as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function signInPage(then: string, anyHolders: boolean, fault?: string): Page {
  const body: Html = html`<h1>Sign in</h1>
${fault !== undefined && html`<p class="fault" role="alert" id="fault">${fault}</p>`}
${
  anyHolders
    ? html`<form method="post" action="/sign-in" class="narrow" data-keep-draft>
<input type="hidden" name="to" value="${then}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus${fault !== undefined && html` aria-describedby="fault" aria-invalid="true"`}>
<button type="submit">Sign in</button>
</form>`
    : html`<p>There are no tokens to sign in with. Set <code>CONSOLE_TOKENS_FILE</code> or <code>CONSOLE_TOKENS</code>, or come through the proxy of <code>CONSOLE_IDENTITY_HEADER</code> or <code>CONSOLE_IDENTITY_ALB_ARN</code>.</p>`
}`;
  return { title: 'Sign in', body };
}
