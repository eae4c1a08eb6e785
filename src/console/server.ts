/** The console's server, not listening yet: access control, headers of every answer, and the sections' routes. */
import { randomBytes } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { keepNewest } from '../http/limits.ts';
import type { AlbIdentity } from './access/alb-identity.ts';
import { type AccessRules, guard, visitorOf } from './access/gate.ts';
import { Guesses } from './access/guesses.ts';
import { addSignIn } from './access/sign-in.ts';
import { SignedOut } from './access/signed-out.ts';
import type { Holder } from './access/tokens.ts';
import { type Asset, type AssetName, loadAssets } from './assets.ts';
import { boundBodies } from './body-time.ts';
import { clientErrors } from './edge/client-errors.ts';
import { responseWith, securityHeaders } from './edge/headers.ts';
import { answerErrors, answerFault, refuse } from './pages/errors.ts';
import { type Page, wholePage } from './pages/layout.ts';
import { makeSite } from './pages/site.ts';
import type { Section } from './section.ts';

export interface ConsoleOptions {
  readonly sections: readonly Section[];
  /** The people who may sign in at present. */
  readonly holders: () => readonly Holder[];
  /** Host names in addition to `localhost` and addresses. */
  readonly hosts: readonly string[];
  readonly openReading: boolean;
  /** Addresses and networks whose forwarding headers are believed. */
  readonly trustedProxies: readonly string[];
  /** The header in which those proxies name the user, and the users who may change something. */
  readonly identity?: {
    readonly header?: string | undefined;
    readonly operators: readonly string[];
    /** If given, the user is the one that this load balancer has signed, and the header is ignored. */
    readonly alb?: Pick<AlbIdentity, 'identify'>;
  };
  /** Sessions that were signed out; default: in memory only. */
  readonly signedOut?: SignedOut;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A request that is not an upload must be complete after this time, in milliseconds; default: {@link BODY_MS}. */
  readonly bodyMs?: number;
  /** Reports errors of the console itself. */
  readonly onError: (error: unknown) => void;
}

/** A browser opens six connections, and a live page keeps one. */
const MOST_CONNECTIONS = 2_000;
const BODY_MS = 30_000;
/** Maximum size of a form, in bytes; uploads have their own limit. */
const MOST_BODY = 65_536;

export async function createConsole(options: ConsoleOptions): Promise<FastifyInstance> {
  const { sections, holders, hosts, openReading, trustedProxies, identity, now, onError } = options;
  const headers = await securityHeaders();
  const unread = clientErrors(headers);
  const app = fastify({
    forceCloseConnections: true,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: MOST_BODY,
    // See `boundBodies`: an upload may take longer.
    requestTimeout: 0,
    keepAliveTimeout: 10_000,
    // Disconnects clients that do not read their stream.
    connectionTimeout: 30_000,
    http: {
      headersTimeout: 10_000,
      maxHeaderSize: 16_384,
      // The gate refuses a request without Host, and says why.
      requireHostHeader: false,
      ServerResponse: responseWith(headers),
    },
    frameworkErrors: (error, request, reply) => answerFault(error, request, reply, show, onError),
    clientErrorHandler: unread.refuse,
    routerOptions: { maxParamLength: 500 },
  });
  keepNewest(app.server, MOST_CONNECTIONS);
  unread.watch(app.server);
  boundBodies(app, options.bodyMs ?? BODY_MS);
  await app.register(cookie);
  await app.register(compress, { global: true, threshold: 1_024, encodings: ['br', 'gzip'] });
  await app.register(formbody);
  await app.register(rateLimit, { global: false });
  await app.register(fastifySSE, { heartbeatInterval: 10_000, serializer: String });
  const { signedOut = new SignedOut({ now, say: () => {} }) } = options;
  const rules: AccessRules = {
    holders,
    hosts,
    openReading,
    isSignedOut: (id, until) => signedOut.has(id, until),
    proxyKey: randomBytes(32),
    now,
    guesses: new Guesses(now),
    ...(identity && { proxy: { ...identity, isTrusted: isWithin(trustedProxies) } }),
  };
  const assets = loadAssets();
  const urls = new Map(assets.map(({ name, url }) => [name, url]));
  const urlOf = (name: AssetName): string => urls.get(name) ?? '';
  const nav = sections.flatMap((section) => section.nav ?? []);
  const show = (request: FastifyRequest, reply: FastifyReply, page: Page): FastifyReply => {
    const path = request.url.replace(/\?.*/s, '');
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(wholePage(page, { nav, path, visitor: request.visitor, urlOf }));
  };
  guard(app, rules, (request, reply, refusal) => refuse(request, reply, refusal, show));
  answerErrors(app, show, onError);
  addAssets(app, assets);
  addSignIn(app, {
    holders,
    hosts,
    now,
    guesses: rules.guesses,
    signOut: (id, until) => signedOut.add(id, until),
    show,
  });
  const site = makeSite(app, show, (request) => visitorOf(request, rules) !== undefined);
  for (const { add } of sections) add(site);
  return app;
}

/** Served from memory: no request path reaches the file system. */
function addAssets(app: FastifyInstance, assets: readonly Asset[]): void {
  for (const { name, url, content } of assets)
    app.get(url, { config: { access: 'open' } }, (_request, reply) =>
      reply
        .type(types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream')
        .header('cache-control', 'public, max-age=31536000, immutable')
        .send(content),
    );
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

function isWithin(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}
