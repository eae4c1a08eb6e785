/**
 * Refuses requests that a web page sends from a browser on this machine. Listening only on loopback does not prevent
 * these.
 *
 * - Cross-site requests: forms and scripts of any page reach loopback. They carry `Origin`, or `Sec-Fetch-Site` for the
 *   method GET.
 * - DNS rebinding: the page's own host name starts to resolve to 127.0.0.1, and `Host` is that name. The valid names are
 *   known only if the connection ends on loopback: probes and scrapers use a pod's or host's address.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** `none`: the server has no pages, so a request has no valid `Origin`. `own`: requests of its own pages are allowed. */
type Pages = 'none' | 'own';

/** Answers such requests with 403, on every route. Must be called before the server listens. */
export function refuseForeign(app: FastifyInstance, pages: Pages): void {
  app.addHook('onRequest', async (request, reply) => {
    const why = objection(request.raw, pages);
    if (why !== undefined) return reply.code(403).send({ message: `refused: ${why}` });
  });
}

/** Why a request is refused; undefined if it is allowed. */
export function objection({ headers, socket }: IncomingMessage, pages: Pages): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && (pages === 'none' || hostOf(origin) !== host))
    return 'it comes from a web page (Origin)';
  if (site === 'cross-site' || site === 'same-site') return 'it comes from a web page (Sec-Fetch-Site)';
  // A request without Host does not come from a browser.
  if (host !== '' && isLoopback(socket.localAddress ?? '') && !isLoopbackName(host))
    return 'its Host is not a name of this machine; use localhost or 127.0.0.1';
  return undefined;
}

/** Host and port of an origin; undefined for `null`, and for anything that is not an origin. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** Whether a `Host` names only this machine. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name) || /^(.+\.)?localhost$/.test(name);
}
