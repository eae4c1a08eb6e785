/**
 * Decides for every request who sent it and whether it is permitted. It runs before every route, so that no route can omit the
 * check. A route is for people who may read, and a route that changes something for operators, unless its `config.access` is
 * `open`.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AlbIdentity, ProvenIdentity } from './alb-identity.ts';
import { type Guesses, TOO_MANY } from './guesses.ts';
import { isFromOwnPage, objection } from './origins.ts';
import type { Refusal } from './refusal.ts';
import { formToken, openSession, same } from './session.ts';
import { type Holder, holderOf } from './tokens.ts';
import { mayChange, type Visitor } from './visitor.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `open`: for everybody. Default: for people who may read; if the method is not GET, for people who may change. */
    readonly access?: 'open';
  }
  interface FastifyRequest {
    /** undefined: the user is not known, and the route is open. */
    visitor: Visitor | undefined;
    /** The user whom a load balancer's signature has proven. */
    proven: ProvenIdentity | undefined;
  }
}

export const SESSION_COOKIE = 'ota_console';

export interface AccessRules {
  /** The current ones: their file may change. */
  readonly holders: () => readonly Holder[];
  readonly hosts: readonly string[];
  /** Whether people who have not signed in may read. */
  readonly openReading: boolean;
  /** The header in which a proxy names the user, and whether a connection comes from such a proxy. */
  readonly proxy?: {
    readonly header?: string | undefined;
    readonly isTrusted: (address: string) => boolean;
    readonly operators: readonly string[];
    /** If given, only what the load balancer has signed is believed, and the header is not. */
    readonly alb?: Pick<AlbIdentity, 'identify'>;
  };
  /** Ids of sessions that were signed out. */
  readonly isSignedOut: (id: string, until: number) => boolean;
  /** Key of the form tokens for users whom a proxy names; random. */
  readonly proxyKey: Buffer;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Wrong tokens, by address. */
  readonly guesses: Pick<Guesses, 'isUsedUp' | 'count'>;
}

/** @param refuse answers a refused request. */
export function guard(
  app: FastifyInstance,
  rules: AccessRules,
  refuse: (request: FastifyRequest, reply: FastifyReply, refusal: Refusal) => FastifyReply,
): void {
  app.decorateRequest('visitor', undefined);
  app.decorateRequest('proven', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const why = objection(request.headers, request.method, rules.hosts);
    if (why !== undefined) return refuse(request, reply, { status: 403, why: `refused: ${why}` });
    const doubt = await prove(request, rules);
    const bearer = bearerOf(request, rules);
    if (bearer !== undefined && rules.guesses.isUsedUp(request.ip))
      return refuse(request, reply, {
        status: 429,
        why: TOO_MANY,
      });
    if (bearer !== undefined && holderOf(rules.holders(), bearer) === undefined) {
      rules.guesses.count(request.ip);
      return refuse(request, reply, { status: 401, why: 'this console does not know the token' });
    }
    request.visitor = visitorOf(request, rules);
    if (request.routeOptions.config.access === 'open') return;
    if (request.visitor === undefined)
      return refuse(request, reply, doubt ?? { status: 401, why: 'sign in first' });
    const refusal = changes(request) ? objectionToChange(request, request.visitor, rules.hosts) : undefined;
    if (refusal !== undefined) return refuse(request, reply, refusal);
  });
  // The form's token is known only when the body has been read.
  app.addHook('preHandler', async (request, reply) => {
    const { visitor } = request;
    if (!changes(request) || visitor === undefined || visitor.by === 'bearer' || isOpen(request)) return;
    if (visitor.formToken !== undefined && same(visitor.formToken, sentToken(request))) return;
    return refuse(request, reply, {
      status: 403,
      why: 'the form belongs to another session or is out of date: go back to its page, and send it again',
    });
  });
}

function isOpen(request: FastifyRequest): boolean {
  return request.routeOptions.config.access === 'open';
}

function changes({ method }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function objectionToChange(
  request: FastifyRequest,
  visitor: Visitor,
  hosts: readonly string[],
): Refusal | undefined {
  if (visitor.by === 'nobody') return { status: 401, why: 'sign in first' };
  // Everybody who has signed in may sign out.
  if (!mayChange(visitor) && request.url !== '/sign-out')
    return { status: 403, why: `${visitor.name} is a viewer: only an operator may change anything` };
  if (visitor.by !== 'bearer' && !isFromOwnPage(request.headers, hosts))
    return {
      status: 403,
      why: 'refused: the browser does not say that the request comes from a page of this console',
    };
  return undefined;
}

function sentToken({ body, headers }: FastifyRequest): string {
  const header = headers['x-form-token'];
  if (typeof header === 'string') return header;
  const sent =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>).formToken : undefined;
  return typeof sent === 'string' ? sent : '';
}

/**
 * For a user whom a proxy names, a bearer token is the proxy's own or one that it passes on. It is not this console's: ignored.
 */
function bearerOf(request: FastifyRequest, rules: AccessRules): string | undefined {
  if (ofProxy(request, rules) !== undefined) return undefined;
  return /^Bearer +(\S{1,500})$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** The present visitor: a session may have ended since the request came. */
export function visitorOf(request: FastifyRequest, rules: AccessRules): Visitor | undefined {
  const bearer = bearerOf(request, rules);
  if (bearer !== undefined) {
    const holder = holderOf(rules.holders(), bearer);
    return holder && { name: holder.name, role: holder.role, by: 'bearer' };
  }
  const cookie = request.cookies[SESSION_COOKIE];
  const session = cookie === undefined ? undefined : openSession(cookie, rules.holders(), rules.now());
  if (session !== undefined && !rules.isSignedOut(session.id, session.until)) {
    const { name, role, key } = session.holder;
    return { name, role, by: 'session', formToken: formToken(key, session.id) };
  }
  return (
    ofProxy(request, rules) ??
    (rules.openReading ? { name: 'nobody', role: 'viewer', by: 'nobody' } : undefined)
  );
}

/** Verifies what a load balancer has signed. @returns why it is not believed. */
async function prove(request: FastifyRequest, { proxy }: AccessRules): Promise<Refusal | undefined> {
  const { headers, socket } = request;
  if (proxy?.alb === undefined || !proxy.isTrusted(socket.remoteAddress ?? '')) return undefined;
  const found = await proxy.alb.identify(headers);
  if (found !== undefined && 'why' in found) return found;
  request.proven = found;
  return undefined;
}

/** The header counts only on a connection from the proxy. */
function ofProxy(
  { headers, socket, proven }: FastifyRequest,
  { proxy, proxyKey, now }: AccessRules,
): Visitor | undefined {
  const asserted = proxy?.header && decoded(headers[proxy.header.toLowerCase()]);
  const signed = proven !== undefined && proven.until > now() ? proven.name : undefined;
  const name = proxy?.alb === undefined ? asserted : signed;
  if (typeof name !== 'string' || !/^\S.{0,199}$/.test(name) || !proxy?.isTrusted(socket.remoteAddress ?? ''))
    return undefined;
  const role = proxy.operators.includes(name) ? 'operator' : 'viewer';
  return { name, role, by: 'proxy', formToken: formToken(proxyKey, name) };
}

/** Node reads every byte of a header as one character (ISO 8859-1), but proxies write names in UTF-8. */
function decoded(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const bytes = Buffer.from(header, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : header;
}
