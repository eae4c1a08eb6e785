/**
 * Refuses what a web page sends from a browser on this machine: a server on loopback is not protected by being there.
 *
 * - Cross-site requests: forms and scripts of any page reach loopback. They carry `Origin`, or `Sec-Fetch-Site` where the
 *   method is GET.
 * - DNS rebinding: a page's own host name that begins to resolve to 127.0.0.1. Then `Host` is that name. Only where the
 *   connection ends on loopback is it known which names are good: probes and scrapers come by a pod's or host's address.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** `none`: the server has no pages, so no request has an `Origin`. `own`: requests of its own pages are welcome. */
type Pages = 'none' | 'own';

/** Answers such requests by 403, whatever the route. To be called before the server listens. */
export function refuseForeign(app: FastifyInstance, pages: Pages): void {
  app.addHook('onRequest', async (request, reply) => {
    const why = objection(request.raw, pages);
    if (why !== undefined) return reply.code(403).send({ message: `refused: ${why}` });
  });
}

/** Why a request is refused; undefined for one that is welcome. */
export function objection({ headers, socket }: IncomingMessage, pages: Pages): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && (pages === 'none' || hostOf(origin) !== host))
    return 'it comes from a web page (Origin)';
  if (site === 'cross-site' || site === 'same-site') return 'it comes from a web page (Sec-Fetch-Site)';
  // Without a Host it is no browser's.
  if (host !== '' && isLoopback(socket.localAddress ?? '') && !isLoopbackName(host))
    return 'its Host is no name of this machine; use localhost or 127.0.0.1';
  return undefined;
}

/** Host and port of an origin; undefined for `null`, and for what is none. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** Of a `Host`: whether it is a name that this machine alone has. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name) || /^(.+\.)?localhost$/.test(name);
}
